"""A network by its name, for samples of a shape."""

from math import prod

from learning.errors import LearningError
from learning.models import MODELS
from learning.models.network import Network
from mechanism.own_code import is_own


def suitable(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names of the networks that take samples of ``shape``; of those without a language model."""
    names = ["mlp", "logistic"] if shape else []
    if shape in ((1, 28, 28), (3, 32, 32)):
        names.append("cnn")
    if shape == (1, 28, 28):
        names += ["femnist-cnn", "cnn-582k"]
    if len(shape) == 1:
        names.append("lstm")
    if len(shape) == 3 and shape[0] == 3 and min(shape[1:]) >= 8:
        names.append("resnet20")
    return tuple(names)


def network(
    name: str, shape: tuple[int, ...], classes: int, base_model: str = "", targets: tuple[str, ...] = ()
) -> Network:
    """Return the network called ``name`` for samples of ``shape`` and that many classes.

    ``base_model`` names the language model that a network "lora" adapts, ``targets`` its modules that are adapted.
    `LearningError` if there is no such network.
    """
    shape = tuple(shape)
    if name == "lora":
        from learning.models.lora import lora_network

        return lora_network(base_model, classes, targets)
    if name not in MODELS and is_own(name, "network"):
        from learning.models.own_network import OwnNetwork

        return OwnNetwork(name, shape, classes)
    fits = suitable(shape)
    if name not in fits:
        raise LearningError(
            f"there is no network {name!r} for samples of shape {list(shape)}; expected {', '.join(fits) or 'lora'}"
        )
    if name == "mlp":
        from learning.models.classifiers import MLP

        return MLP(inputs=prod(shape), classes=classes)
    if name == "logistic":
        from learning.models.classifiers import Logistic

        return Logistic(inputs=prod(shape), classes=classes)
    if name == "cnn":
        from learning.models.classifiers import SimpleCNN

        return SimpleCNN(channels=shape[0], size=shape[1], classes=classes)
    if name == "femnist-cnn":
        from learning.models.classifiers import FemnistCNN

        return FemnistCNN(classes=classes)
    if name == "cnn-582k":
        from learning.models.classifiers import FedAvgCNN

        return FedAvgCNN(classes=classes)
    if name == "lstm":
        from learning.models.lstm import CharacterLSTM

        return CharacterLSTM(characters=classes)
    from learning.models.resnet import ResNet20

    return ResNet20(channels=shape[0], classes=classes)


def refuse_models(name: str, base_model: str, targets: tuple[str, ...]) -> None:
    """Raise `LearningError` if a network adapts a language model that is not there, or not at these modules."""
    if name == "lora":
        from learning.models.base_models import TARGETS, refuse_base

        refuse_base(base_model, targets or TARGETS)


def base_digest_of(name: str, base_model: str) -> str:
    """Return the digest of the language model that a network adapts, without which adapters mean nothing; else ""."""
    if name != "lora":
        return ""
    from learning.models.base_models import base_digest

    return base_digest(base_model)
