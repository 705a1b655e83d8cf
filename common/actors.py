"""Who acted, as plain columns: a person, a client, or the system itself."""

from dataclasses import dataclass
from typing import Protocol


class Actor(Protocol):
    """What the journal asks of whoever acts; users and API clients have it."""

    @property
    def actor_kind(self) -> str: ...
    @property
    def actor_id(self) -> str: ...
    @property
    def actor_label(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SystemActor:
    """Scheduled work and the operator's commands."""

    actor_id: str = "system"
    actor_label: str = "Sekisho"
    actor_kind: str = "system"


SYSTEM = SystemActor()
