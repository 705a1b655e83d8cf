"""Tables of legal moves of this app."""

from common.states import Move

PLANNED, RUNNING, FINISHED, STOPPED = "planned", "running", "finished", "stopped"
PROJECT_MOVES = {
    "start": Move({PLANNED}, RUNNING),
    "finish": Move({RUNNING}, FINISHED),
    "stop": Move({PLANNED, RUNNING}, STOPPED),
}

AWAITED, DELIVERED = "awaited", "delivered"
DELIVERABLE_MOVES = {"deliver": Move({AWAITED}, DELIVERED)}

DRAFTING, RETURNED, SUBMITTED, CHECKED, CONFIRMED = "drafting", "returned", "submitted", "checked", "confirmed"
IN_APPROVAL, APPROVED, REFUSED, WITHDRAWN = "in_approval", "approved", "refused", "withdrawn"
PLAN_WRITABLE = frozenset({DRAFTING, RETURNED})
PLAN_OPEN = PLAN_WRITABLE | {SUBMITTED, CHECKED, CONFIRMED, IN_APPROVAL}
PLAN_MOVES = {
    "submit": Move(PLAN_WRITABLE, SUBMITTED),
    "check": Move({SUBMITTED}, CHECKED),
    "confirm": Move({CHECKED}, CONFIRMED),
    "propose_approval": Move({CONFIRMED}, IN_APPROVAL),
    "approve": Move({IN_APPROVAL}, APPROVED),
    "return": Move({SUBMITTED, CHECKED, CONFIRMED, IN_APPROVAL}, RETURNED),
    "refuse": Move({SUBMITTED, CHECKED, CONFIRMED, IN_APPROVAL}, REFUSED),
    "withdraw": Move({DRAFTING, RETURNED, SUBMITTED, CHECKED, CONFIRMED}, WITHDRAWN),
}
