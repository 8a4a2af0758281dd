"""The tensors of a V2 request as the instances that they stand for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from models.manifest import Manifest
from schemas.problem import ProblemError
from schemas.v2 import InputTensor
from service.errors import MAX_ERRORS, Invalid, invalid, several
from service.protocols.images import Images
from service.protocols.records import Records
from service.protocols.tensors import Tensor


class Kind(Protocol):
    """How the instances of a model come as tensors."""

    @property
    def required(self) -> list[str]:
        """The tensors that may not be absent."""

    def look(self, at: str, sent: InputTensor) -> Tensor:
        """One tensor, at the pointer `at`. Raises Invalid."""

    def instances(self, tensors: list[Tensor]) -> list[Any]:
        """What all of them stand for; they have the same n. Raises Invalid."""

    def places(self, tensors: list[Tensor]) -> Mapping[str, Tensor]:
        """Where it stands, by the pointer below an instance."""


@dataclass(frozen=True)
class Received:
    """Instances as the model's reader takes them, and the tensors that they came in."""

    instances: list[Any]
    places: Mapping[str, Tensor]

    def point(self, pointer: str) -> str:
        """Where in the body stands what a native request has at `/instances...`."""
        parts = pointer.split("/", 3)  # "", "instances", which one, what in it
        tensor = self.places.get("/" + parts[3]) if len(parts) == 4 else None
        return tensor.place(int(parts[2])) if tensor else "/inputs"


def receive(sent: list[InputTensor], manifest: Manifest) -> Received:
    """Raises Invalid, with what is wrong in each tensor."""
    kind: Kind = Images(manifest.image) if manifest.image else Records(manifest)
    tensors: list[Tensor] = []
    errors: list[ProblemError] = []
    for k, one in enumerate(sent):
        if len(errors) >= MAX_ERRORS:
            break
        try:
            tensors.append(kind.look(f"/inputs/{k}", one))
        except Invalid as problem:
            errors += problem.errors
    errors += [*_twice(sent), *_absent(sent, kind.required), *_uneven(tensors)]
    if errors:
        raise several(errors[:MAX_ERRORS])
    return Received(kind.instances(tensors), kind.places(tensors))


def _twice(sent: list[InputTensor]) -> Iterator[ProblemError]:
    seen: set[str] = set()
    for k, one in enumerate(sent):
        if one.name in seen:
            yield from invalid(f"/inputs/{k}/name", "expected no tensor twice").errors
        seen.add(one.name)


def _absent(sent: list[InputTensor], required: list[str]) -> Iterator[ProblemError]:
    names = {one.name for one in sent}
    for name in required:
        if name not in names:
            yield ProblemError(pointer="/inputs", detail=f"expected a tensor `{name}`: it may not be absent")


def _uneven(tensors: list[Tensor]) -> Iterator[ProblemError]:
    for tensor in tensors[1:]:
        if tensor.shape[0] != tensors[0].shape[0]:
            detail = f"expected {tensors[0].shape[0]} instances, as `{tensors[0].name}` has"
            yield ProblemError(pointer=f"{tensor.at}/shape/0", detail=detail)
