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
