"""Tables of legal moves of this app."""

from common.states import Move

DECLARED, CONFIRMED, DISMISSED, ENDED = "declared", "confirmed", "dismissed", "ended"
CONFLICT_MOVES = {
    "confirm": Move({DECLARED}, CONFIRMED),
    "dismiss": Move({DECLARED}, DISMISSED),
    "end": Move({CONFIRMED}, ENDED),
}
