"""The only room that imports optuna: recipe and task -> study, the objective, resume, storage.

    definition.py   what a study is, as stored with it and held against what is asked later
    storage.py      databases: opening, locking, listing, copying
    search.py       Optuna's side of an arm: sampler, pruner, parameters, allocation
    work.py         the loop of a worker: claim, train, measure, record; retry, retire, interrupt
    preflight.py    a few steps of each arm, timed before starting
    record.py       Optuna's trials -> results

Nothing is imported here: listing commands must not wait for what only a running study needs.
"""
