"""Names in any script; run from a folder and a file whose own names are in other scripts too."""
import threading

import witness


class Корзина:
    класс_атрибут = "значение"

    def __init__(self, 名前, τιμή):
        self.名前 = 名前
        self.τιμή = τιμή

    def добавить(self, товар, *, количество=1):
        self.содержимое = [товар] * количество
        return self.計算する(товар)

    def 計算する(self, 値):
        合計 = sum(цена for цена in [1, 2])
        𝔘𝔫𝔦 = "normalised"
        return שלום(合計, مفتاح="قيمة")


def שלום(ערך, **מפתחות):
    ñ = "ñ"
    witness.die()


def тред():
    witness.park()


def main():
    witness.start(тред, name="поток")
    witness.start(тред, name="👾 worker")
    threading.current_thread().name = "главный"
    Корзина("かご", 1.5).добавить("шляпа", количество=2)


if __name__ == "__main__":
    main()
