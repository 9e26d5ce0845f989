"""All exercises of the lessons, by number."""

from capelib.learn.compare import EXERCISES as COMPARE
from capelib.learn.count import EXERCISES as COUNT
from capelib.learn.doubt import EXERCISES as DOUBT
from capelib.learn.exercise import Exercise
from capelib.learn.look import EXERCISES as LOOK

EXERCISES: dict[str, Exercise] = {
    exercise.number: exercise for exercise in (*LOOK, *COUNT, *COMPARE, *DOUBT)
}
