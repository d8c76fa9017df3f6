"""Secrets, and all the forms in which one of them could be shown."""
import json
import os
import random
import string
import subprocess

TEXTS, NUMBERS = 49, 34  # as many as programs/peers_secrets.py takes
FLAG = 1 << 73


class Secrets:
    """The same for the same seed, so that a failure comes back."""

    def __init__(self, seed, folder):
        chance = random.Random(seed)
        self.texts = ["".join(chance.choices(string.ascii_letters, k=20)) for _ in range(TEXTS)]
        self.numbers = [chance.randrange(10**11, 10**12) for _ in range(NUMBERS)]
        self.argument, self.environment = ("".join(chance.choices(string.ascii_letters, k=24)) for _ in range(2))
        self.forms = {}  # bytes -> what they would give away
        for text in [*self.texts, self.argument, self.environment]:
            self._add_text(text)
        for number in self.numbers:
            self._add_number(number)
        self.forms[b"%d" % FLAG] = "number %d" % FLAG
        self.forms = {form: secret for form, secret in self.forms.items() if b"\n" not in form}
        self.patterns = folder / "patterns"
        self.patterns.write_bytes(b"\n".join(self.forms))

    def _add_text(self, text):
        """A piece of ten characters is a leak too."""
        for start in (0, 5, len(text) - 10):
            piece = text[start:start + 10]
            for form in (piece.encode(), piece.encode("utf-16-le"), piece.encode("utf-16-be"),
                         piece.encode().hex().encode(), piece.encode().hex().upper().encode()):
                self.forms[form] = text

    def _add_number(self, number):
        powers = (number, number**3, number**5)
        for value in powers:
            for text in (str(value), "%x" % value, "%X" % value):
                self.forms[text[:40].encode()] = "number %d" % number
                for size in (8, 16):
                    if value < 1 << 8 * size and value >= 1 << 32:
                        self.forms[value.to_bytes(size, "little")] = "number %d" % number
        for text in (repr(number / 1e4), repr(1 / number), "%d, %d" % divmod(number, 10**6)):
            self.forms[text.encode()] = "number %d" % number

    def variables(self):
        return {"SECRETS": json.dumps(self.texts), "SECRET_NUMBERS": json.dumps(self.numbers),
                "SECRET_ENVIRONMENT": self.environment}

    def found(self, content):
        """Which secrets some bytes give away; grep looks for thousands of forms at once."""
        run = subprocess.run(["grep", "-a", "-o", "-F", "-f", self.patterns], input=content, capture_output=True,
                             env={**os.environ, "LC_ALL": "C"})
        if run.returncode > 1:
            raise RuntimeError("grep: " + run.stderr.decode())
        return {self.forms[match] for match in run.stdout.split(b"\n") if match}
