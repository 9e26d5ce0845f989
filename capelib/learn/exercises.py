"""All exercises of the lessons, by number."""

from capelib.learn import compare, count, doubt, look
from capelib.learn.exercise import Exercise

EXERCISES: dict[str, Exercise] = {
    exercise.number: exercise
    for lesson in (look, count, compare, doubt)
    for exercise in lesson.EXERCISES
}
