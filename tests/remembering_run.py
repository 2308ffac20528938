"""A `Run` for tests of strategies: scores nothing and remembers everything."""

from contextlib import contextmanager


class RememberingRun:
    """What a strategy is given, and what it did with it."""

    def __init__(self, folder, model, task, train, params=None, *, on_checkpoint=None, **changes):
        self.task = task
        self.model = model
        self.params = params or {}
        self.train = train
        self.seed = 0
        self.folder = folder / "scratch"
        self.folder.mkdir(exist_ok=True)
        self.attached = folder / "attached"
        self.epochs = 2.0
        self.checkpoints = 2
        self.shrink_batch = True
        self.halvings = 0
        self.fingerprint = "toy-rows"
        self.pool = None
        self.teacher = None
        self.companions = {}
        self.on_checkpoint = on_checkpoint
        self.fractions, self.notes, self.progressed = [], {}, []
        self.saved_seconds = 0.0
        self.loading_depth = 0
        vars(self).update(changes)

    def checkpoint(self, predictor, fraction):
        assert self.loading_depth == 0
        self.fractions.append(fraction)
        if self.on_checkpoint:
            self.on_checkpoint(predictor, fraction)

    @contextmanager
    def loading(self):
        self.loading_depth += 1
        yield
        self.loading_depth -= 1

    def saved(self, seconds):
        self.saved_seconds += seconds

    def progress(self, fraction):
        self.progressed.append(fraction)

    def note(self, **facts):
        self.notes.update(facts)
