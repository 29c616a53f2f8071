"""Watches over environments: what never improves, what cannot be solved, what is mastered.

A coin-flip environment has a pass rate of 50% for ever, which every score of learnability loves. An
environment that passes alike at all levels and has not improved in `WINDOW` groups is a noise trap;
one whose pass rate is next to nothing at all levels is impossible. Both get no more than probes
until they improve. One that passes nearly always at all levels is mastered: it gets probes, too,
and comes back if they find that something was forgotten. Learning progress, for the tilt of the
shares, is kept here too. Pure. Axes: E environments, L levels.

Source: learning progress of Oudeyer, Kaplan, Hafner 2007 for the tilt; the rules are ours.
"""

from typing import NamedTuple

import numpy as np

from selfplay.curriculum.scale import POINTS_PER_LOGIT, Beliefs, sigmoid

WINDOW = 64
"""Groups between two looks at an environment's progress."""
FLAT = (0.3, 0.7)
"""Pass rates within which all levels of a noise trap lie. With wider ones, environments whose
answers can be guessed now and then are taken for traps."""
SURE = 2.0
"""Standard deviations by which an ability has to have moved to count as moved."""
SURE_ENOUGH = 0.5
"""Largest standard deviation of a move of which anything is concluded, in logits."""
HOPELESS = 0.02
"""Upper 95% bound of the pass rates of an impossible environment."""
MASTERED_ABOVE = 0.9
"""Predicted pass rate that every level of a mastered environment has."""
FORGOTTEN_BELOW = 0.8
"""Predicted pass rate of a level at which an environment is mastered no longer."""
PROGRESS_MEMORY = 0.98
"""Share of the learning progress that is kept with each group."""
FIRST_GROUPS = 15
"""Groups of an environment before its progress counts."""

ACTIVE, NOISE, IMPOSSIBLE, MASTERED = 0, 1, 2, 3
STATES = ("active", "noise trap", "impossible", "mastered")
"""Names of the four, for people."""


class Watch(NamedTuple):
    """What is known of the environments' progress."""

    state_E: np.ndarray
    """int [E], ACTIVE, NOISE, IMPOSSIBLE or MASTERED."""
    groups_E: np.ndarray
    """int [E], groups seen."""
    since_E: np.ndarray
    """int [E], groups since the last look."""
    mark_E: np.ndarray
    """float [E], the ability at the last look, in logits."""
    mark_sd_E: np.ndarray
    """float [E], its standard deviation."""
    last_E: np.ndarray
    """float [E], the ability after the last outcomes."""
    progress_E: np.ndarray
    """float [E], gain of ability in a group, in logits, old groups fading."""


def initial(beliefs: Beliefs) -> Watch:
    """Everything is active."""
    ability_E, sd_E = _ability(beliefs)
    zero_E = np.zeros(ability_E.size, np.int64)
    return Watch(zero_E, zero_E, zero_E, ability_E, sd_E, ability_E, np.zeros(ability_E.size))


def marked(watch: Watch, beliefs: Beliefs) -> Watch:
    """With the abilities of now as the mark: the scale was shifted, nobody has learnt anything."""
    ability_E, sd_E = _ability(beliefs)
    moved_E = ability_E - watch.last_E
    return watch._replace(mark_E=watch.mark_E + moved_E, mark_sd_E=sd_E, last_E=ability_E)


def after(watch: Watch, beliefs: Beliefs, new_E: np.ndarray) -> Watch:
    """After outcomes.

    Args:
        watch: before them.
        beliefs: after them.
        new_E: int [E], groups among them.
    """
    ability_E, sd_E = _ability(beliefs)
    kept_E = PROGRESS_MEMORY**new_E
    gain_E = (ability_E - watch.last_E) / np.maximum(new_E, 1)
    progress_E = kept_E * watch.progress_E + (1.0 - kept_E) * gain_E
    since_E = watch.since_E + new_E

    move_E, error_E = ability_E - watch.mark_E, np.hypot(sd_E, watch.mark_sd_E)
    looked_E = (since_E >= WINDOW) & (error_E <= SURE_ENOUGH)
    improved_E = looked_E & (move_E > SURE * error_E)
    still_E = looked_E & (np.abs(move_E) <= SURE * error_E)
    state_E = np.where(improved_E & (watch.state_E == NOISE), ACTIVE, watch.state_E)
    state_E = np.where(still_E & _flat(beliefs) & (state_E == ACTIVE), NOISE, state_E)
    hopeless_E = _upper(beliefs) < HOPELESS
    state_E = np.where(hopeless_E & (state_E == ACTIVE), IMPOSSIBLE, state_E)
    state_E = np.where(~hopeless_E & (state_E == IMPOSSIBLE), ACTIVE, state_E)
    lowest_E = np.nanmin(beliefs.predicted_EL, axis=1)
    state_E = np.where((lowest_E > MASTERED_ABOVE) & (state_E == ACTIVE), MASTERED, state_E)
    state_E = np.where((lowest_E < FORGOTTEN_BELOW) & (state_E == MASTERED), ACTIVE, state_E)
    # What is in quarantine is compared with the day that it went there: probes are few.
    renewed_E = looked_E & ((state_E == ACTIVE) | (watch.state_E == ACTIVE))
    return Watch(
        state_E=state_E.astype(np.int64),
        groups_E=watch.groups_E + new_E,
        since_E=np.where(renewed_E, 0, since_E),
        mark_E=np.where(renewed_E, ability_E, watch.mark_E),
        mark_sd_E=np.where(renewed_E, sd_E, watch.mark_sd_E),
        last_E=ability_E,
        progress_E=progress_E,
    )


def shares(watch: Watch, tilt: float, quarantine: bool) -> np.ndarray:
    """float [E], how the problems that are no probes are shared; sums to 1.

    Args:
        watch: of now.
        tilt: at least 1: an environment's share is within this factor of an equal one, in
            proportion to its learning progress. 1: all alike.
        quarantine: whether an environment that is not active gets none.
    """
    active_E = (watch.state_E == ACTIVE) | (not quarantine)
    if not active_E.any():
        return np.full(active_E.size, 1.0 / active_E.size)
    known_E = active_E & (watch.groups_E >= FIRST_GROUPS)
    usual = float(np.median(watch.progress_E[known_E])) if known_E.any() else 0.0
    weight_E = np.ones(active_E.size)
    if usual > 0.0:
        weight_E[known_E] = np.clip(watch.progress_E[known_E] / usual, 1.0 / tilt, tilt)
    weight_E = np.where(active_E, weight_E, 0.0)
    return weight_E / weight_E.sum()


def _ability(beliefs: Beliefs) -> tuple[np.ndarray, np.ndarray]:
    return beliefs.solver_E / POINTS_PER_LOGIT, beliefs.solver_sd_E / POINTS_PER_LOGIT


def _flat(beliefs: Beliefs) -> np.ndarray:
    """bool [E], whether all levels pass neither rarely nor nearly always."""
    predicted_EL = beliefs.predicted_EL
    return (np.nanmin(predicted_EL, axis=1) >= FLAT[0]) & (
        np.nanmax(predicted_EL, axis=1) <= FLAT[1]
    )


def _upper(beliefs: Beliefs) -> np.ndarray:
    """float [E], upper 95% bound of the pass rate at the level where that is highest."""
    logit_EL = (beliefs.solver_E[:, None] - beliefs.cell_EL) / POINTS_PER_LOGIT
    return np.nanmax(sigmoid(logit_EL + 1.645 * beliefs.logit_sd_EL), axis=1)
