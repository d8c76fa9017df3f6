"""A small shop that dies on an order: the program of the shipped cores. Run from its own folder."""
import sys
import threading

import witness
from shop import models, service, storage, workers


def build_catalogue():
    hat = models.Product("hat", "Шляпа", 19.99, tags=["felt", "warm"])
    coat = models.Product("coat", "外套 🧥", 149.5, tags=[])
    return {product.code: product for product in (hat, coat)}


def main(arguments):
    catalogue = build_catalogue()
    store = storage.Store(catalogue)
    pool = workers.start(store)
    session = models.Session("anna", token="5f2c…", cart=models.Cart())
    session.cart.add(catalogue["hat"], 2)
    session.cart.add(catalogue["coat"])
    handler = service.Checkout(store, session)
    handler.run(*arguments, priority=models.Priority.HIGH)


if __name__ == "__main__":
    threading.stack_size(1 << 18)
    main(sys.argv[1:])
