"""How the two models that ship are trained: the notebook's data, preprocessing and nets. Imports TensorFlow."""

from models.training import fashion_mnist, titanic
from models.training.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    "titanic": titanic.train,
    "fashion-mnist": fashion_mnist.train,
}
