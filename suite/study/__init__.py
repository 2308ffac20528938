"""The only room that imports optuna: from what was asked for to a study, its trials, its finals.

    made:      create, arms, definition (as stored), migrations and differences (as stored before)
    gone on:   course: preflight, then work, then finals; bench on request
    a worker:  work (the loop), queue (what is next), objective (one trial), jobs (what a child is
               told), speed, keeping (the disk), retiring (arms that are out), ledger (the study as
               one process holds it), watching and telling (who is told)
    stored:    storage and lock; record, reading, listing, winner read it back; attributes is for
               Optuna's own tools; *_record is how finals, answers, engines and checkpoints stand
    Optuna:    search (parameters, whose turn it is), sampling, pruning, internals (what it does not
               promise)

Nothing is imported here: listing commands must not wait for what only a running study needs.
"""
