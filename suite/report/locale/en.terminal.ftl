### What the command line says in English. Sentences of other rooms stand in en.told.ftl.


## Around what is said

warning = WARNING
error = Error:
next = Next: { $what }
left_out = Left out in { $width } columns: { $columns }; a pipe and --json have all.
banner_terminal = BUNDLED SAMPLE
banner_terminal_more = these numbers are of generated texts, not of a real data set

## What stands above the columns

head_trial = #
head_rank = rank
head_arm = arm
head_note = note
head_state = state
head_test = test
head_interval = 95 % interval
head_validation = validation
head_training = training
head_rate = texts/s
head_latency = p90 ms
head_memory = memory
head_trials = trials
head_settings = hyperparameters
head_engine = engine
head_precision = precision
head_agreement = agreement
head_p50 = p50 ms
head_p99 = p99 ms
head_offline = Offline/s
head_server = Server/s
head_study = study
head_task = task
head_recipe = recipe
head_finals = test
head_best = best score (validation)
head_created = created
head_model = model
head_family = family
head_millions = millions
head_weights = weights
head_revision = revision
head_title = title
head_language = language
head_classes = classes
head_source = source
head_mean = mean
head_pooled = all rows
head_deviation = std. dev.
head_splits = splits
head_twice = at { $size } (law)
head_off = check off by
head_way = picked
head_over_random = over random
head_exponent = exponent

## Leaderboard, trials, engines

leaderboard_terminal = { $study }: { $title } ({ $metric })
replay_terminal = { $study }: { $arm } after picking by each way ({ $metric } on validation)
replay_told = { $n ->
    [one] Each way began with the same { $first } labelled rows, where the score was { $start }; columns are labelled rows in all. Test was not opened.
   *[other] Each way began with the same { $first } labelled rows, { $n } times from others, where the score was { $start } on average; columns are labelled rows in all, ± is half of the 95 % interval. Test was not opened.
}
way_diverse = unlike and unsure
way_uncertain = least sure
way_random = at random
growth_terminal = { $study }: by training rows ({ $metric })
splits_terminal = { $study }: over { $n } splits of the rows
trials_terminal = trials ({ $shown } of { $all })
engines_terminal = { $study }: serving engines
engines_within = Server: the highest rate at which 99 of 100 texts are answered within { $bound }.
fastest_terminal = Fastest: { $scenario } { $what }
fastest_on = { $arm } on { $engine }
on_host = on { $host }
scored = scored
sample_mark = { $task } (SAMPLE)
refused_arms = Refused: { $arms }
arms_said_above = { $n ->
    [one] Beside these, 1 arm can't run, as said above.
   *[other] Beside these, { $n } arms can't run, as said above.
}
retired_arms = Retired: { $arms }
failed_trials = { $n ->
    [one] Failed: trial { $trials } of { $arm }
   *[other] Failed: { $n } trials of { $arm } ({ $trials })
}
because = { $what }: { $reason }
head_strategy = strategy
head_runs = runs
head_happens = why not, or what happens
head_kept = { $n ->
    [one] its head of 1 class is trained on where a task has as many, else a new one is drawn
   *[other] its head of { $n } classes is trained on where a task has as many, else a new one is drawn
}
modules_new = new: { $names }
modules_ignored = ignored: { $names }
made_to_embed = it was made to embed, and not to answer
from_training_texts = (the training texts)
unpinned = UNPINNED (main)
broken_file = BROKEN: { $what }
able = ok
unable = no
arms_here = Arms of the catalogue: { $runs } of { $arms } run here
cannot_be_read = cannot be read
no_studies = No studies yet.
best_arm_trial = { $arm } (trial { $n })
level_with = can't be told apart from: { $arms }
scored_on = { $split } { $metric } { $score }

## Progress

progress_trial = trial { $n }
progress_trained = trained { $time }
progress_spent = ({ $time } in all)
progress_so_far = { $time } so far, { $left }
head_wall = time
left_out_arms = Left out: { $arms }
ended_early = The search ended early: { $why }.
short_arms = No time for more: { $arms }

## How hard rows are

difficulty_by = by
difficulty_judge = judge
difficulty_title = { $n ->
    [one] How hard { $n } training row is
   *[other] How hard { $n } training rows are
}
difficulty_alike = { $a } and { $b } order the rows alike by { $rho } (Spearman).
difficulty_suspected = { $n ->
    [one] Of { $of } rows the label of { $n } is suspected to be wrong.
   *[other] Of { $of } rows the labels of { $n } are suspected to be wrong.
}
difficulty_suspects = By { $by }, labels are suspected of { $easy } of the easy third, { $medium } of the medium and { $hard } of the hard one.

## suite data suspects

suspects_learnt = Suspects in train and validation: { $n } of { $rows }.
suspects_test = Suspects in test, from which nothing is removed: { $n } of { $rows }.
suspects_place = where
suspects_given = label
suspects_likely = likelier
suspects_probability = probability
suspects_agreed = arms that say so
suspects_text = text
suspects_scores = macro-F1 on test, of one training each
suspects_all = all test rows
suspects_sure = without suspects of test
suspects_without = trained without suspects
suspects_difference = difference
suspects_flattered = A score without suspects of test leaves out rows that these arms got wrong: it flatters them. What training without suspects does is judged on all test rows.
suspects_opened = Labels of test met answers here. Mend them before a study begins: what is changed for its score is no test of it.
suspects_few = Nothing is said of labels of classes with less to learn from than { $n }, each with its rows: { $classes }.

## suite data slices

slices_title = { $arm } on parts of test
