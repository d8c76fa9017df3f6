"""What dying_import.py imports: its module level never ends."""
import witness

VALUE = 1


class Registry:
    names = ["a"]
    witness.die()
