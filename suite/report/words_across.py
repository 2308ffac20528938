"""What the page across studies says, in both languages; `words` takes these in."""

from __future__ import annotations

#: key -> (English, Chinese), as in `words.WORDS`.
WORDS_ACROSS: dict[str, tuple[str, str]] = {
    "across_title": ("Across studies", "跨研究比较"),
    "across_eyebrow": ("Text classification, several studies", "文本分类，多项研究"),
    "across_studies_line": ("{n} studies", "{n} 项研究"),
    "across_tasks_line": ("{n} tasks", "{n} 个任务"),
    "across_counted_line": ("{n} tasks with test scores", "{n} 个任务有测试分数"),
    "across_common_line": ("{n} arms tested on all tasks", "{n} 个方案在全部任务上有测试"),
    "across_index": ("All studies", "全部研究"),
    # caveats
    "across_sample_all": (
        "These are bundled samples, not real data: no figure here holds for a real task.",
        "这些都是内置样例，并非真实数据：数字不适用于任何真实任务。",
    ),
    "across_sample_some": (
        "{studies}: the bundled sample, shown but in no average.",
        "{studies}：内置样例，仅展示，不计入平均。",
    ),
    "across_validation": (
        "{studies}: scored on validation only, the test split is unopened; shown but in no "
        "average.",
        "{studies}：只有验证集分数，测试集尚未打开；仅展示，不计入平均。",
    ),
    "across_nothing_yet": ("{studies}: no result yet.", "{studies}：尚无结果。"),
    "across_stale": (
        "{studies}: searched on after the finals, so the test scores are stale.",
        "{studies}：决赛之后又继续搜索，测试分数已过时。",
    ),
    "across_machines": (
        "The studies ran on different machines: training time and speed are compared within a "
        "study, and not averaged over tasks.",
        "各研究在不同机器上运行：训练用时和速度只在同一研究内比较，不跨任务平均。",
    ),
    "across_machines_unknown": (
        "Not every study tells its machine: training time and speed are compared within a study, "
        "and not averaged over tasks.",
        "并非每项研究都记录了机器：训练用时和速度只在同一研究内比较，不跨任务平均。",
    ),
    # the answer
    "across_none": (
        "No study has test scores, so nothing can be said across tasks yet.",
        "还没有研究有测试分数，暂时无法跨任务得出结论。",
    ),
    "across_one_task": (
        "Only {task} has test scores, so there is no average over tasks.",
        "只有 {task} 有测试分数，因此没有跨任务的平均。",
    ),
    "across_one_task_best": (
        "The best there is {arm}, macro-F1 {f1}.",
        "其中最好的是 {arm}，宏平均 F1 {f1}。",
    ),
    "across_no_common": (
        "No arm was tested on all {n} tasks, so there is no average rank; {arm} won the largest "
        "share of its contests by more than chance ({won} of {contests}).",
        "没有方案在全部 {n} 个任务上都有测试，因此没有平均名次；{arm} 以不只是偶然的差距"
        "胜出的比例最高（{contests} 次比较中胜 {won} 次）。",
    ),
    "across_one_common": (
        "{arm} is the only arm tested on all {n} tasks, so its average is compared with nothing.",
        "只有 {arm} 在全部 {n} 个任务上都有测试，其平均没有可比较的对象。",
    ),
    "across_best": (
        "Over {n} tasks {arm} is best on average: rank {rank} among the {k} arms tested on all "
        "of them; next is {second} with {rank2}.",
        "在 {n} 个任务上，{arm} 平均最好：在全部任务都有测试的 {k} 个方案中平均名次 {rank}；"
        "其次是 {second}，{rank2}。",
    ),
    "across_best_shared": (
        "{arms} share the best average rank over {n} tasks, {rank} of {k} arms tested on all of "
        "them.",
        "在 {n} 个任务上，{arms} 平均名次并列最好：{rank}（共 {k} 个方案在全部任务上有测试）。",
    ),
    "across_too_few": (
        "{n} tasks are too few for a test over tasks (it takes {least}). Task by task, {arm} "
        "against {second}: {won} won by more than chance, {level} could be chance, {lost} lost.",
        "{n} 个任务太少，无法跨任务检验（至少需要 {least} 个）。逐个任务看，{arm} 对 {second}："
        "胜 {won}（不只是偶然），可能偶然 {level}，负 {lost}。",
    ),
    "across_too_few_arms": (
        "Two arms are too few for a test over tasks. Task by task, {arm} against {second}: "
        "{won} won by more than chance, {level} could be chance, {lost} lost.",
        "只有两个方案，不足以做跨任务检验。逐个任务看，{arm} 对 {second}：胜 "
        "{won}（不只是偶然），可能偶然 {level}，负 {lost}。",
    ),
    "across_friedman_none": (
        "Over these tasks the arms' ranks could all differ by chance (Friedman, p {p}).",
        "就这些任务而言，各方案的名次差异可能都只是偶然（Friedman，p {p}）。",
    ),
    "across_cd_real": (
        "That lead is more than chance: {distance} ranks, and from {cd} on two arms differ "
        "(Friedman p {p}, Nemenyi at 5 %).",
        "这一领先不只是偶然：相差 {distance} 名，达到 {cd} 即有差异（Friedman p {p}，"
        "Nemenyi 5%）。",
    ),
    "across_cd_chance": (
        "That lead could be chance: {distance} ranks, where it takes {cd} (Friedman p {p}, "
        "Nemenyi at 5 %). Within that: {arms}.",
        "这一领先可能只是偶然：相差 {distance} 名，而需要 {cd}（Friedman p {p}，Nemenyi 5%）；"
        "同样无法区分的有 {arms}。",
    ),
    "across_but": (
        "But {arm}, not tested on every task, beats it by more than chance on {lost} of the "
        "{met} where both were.",
        "但并非在每个任务上都有测试的 {arm}，在两者都有测试的 {met} 个任务中有 {lost} "
        "个以不只是偶然的差距优于它。",
    ),
    "across_take_rival": (
        "For a new task of this kind start with {rival}, and with {arm} where that cannot run",
        "对于同类的新任务，先用 {rival}；它无法运行时用 {arm}",
    ),
    "across_take": (
        "For a new task of this kind start with {arm}",
        "对于同类的新任务，先用 {arm}",
    ),
    "across_take_level": (
        "; {arm} was never worse than it by more than chance and takes {training} of its "
        "training time",
        "；{arm} 从未以不只是偶然的差距落后于它，训练用时只是它的 {training}",
    ),
    "across_take_cheap": (
        "; the cheapest to train of the others, {arm}, takes {training} of its training time "
        "and lies {gap} further below the best on average",
        "；其余方案中训练最省的是 {arm}，训练用时是它的 {training}，平均再低 {gap}",
    ),
    "across_zero_shot": (
        "Without any labels only zero_shot arms can answer: the best here is {arm}, {gap} below "
        "each task's best on average ({tasks} of {n} tasks).",
        "完全没有标注时只有 zero_shot 方案可用：这里最好的是 {arm}，平均比各任务最好的低 {gap}"
        "（{n} 个任务中的 {tasks} 个）。",
    ),
    "across_no_zero_shot": (
        "With no labels at all only a zero_shot arm could answer, and none was tested here.",
        "完全没有标注时只有 zero_shot 方案可用，而这里没有测试过。",
    ),
    "across_pair": (
        "{task}, from {before} to {after}: {what}.",
        "{task}，从 {before} 到 {after}：{what}。",
    ),
    "across_pair_differ": (
        "Between them differ: {facts}.",
        "两者的不同之处：{facts}。",
    ),
    "across_pair_alike": (
        "Nothing that is recorded differs between them.",
        "记录的条件没有不同。",
    ),
    "across_more_facts": ("{n} facts, listed below", "{n} 项，见下表"),
    "across_pair_better": ("{arms} better by more than chance", "变好（不只是偶然）：{arms}"),
    "across_pair_worse": ("{arms} worse by more than chance", "变差（不只是偶然）：{arms}"),
    "across_pair_chance": ("{arms} could be chance", "可能只是偶然：{arms}"),
    "across_pair_unknown": ("no claim about {arms}", "不作断言：{arms}"),
    "across_pair_none": ("no arm has a score in both", "没有方案在两者中都有分数"),
    "across_n_arms": ("{n} arms", "{n} 个方案"),
    # tiles
    "role_average": ("best average rank", "平均名次最好"),
    "role_winner": ("most contests won", "胜出最多"),
    "role_quick": ("fastest to serve", "推理最快"),
    "role_frugal": ("cheapest to train", "训练最省"),
    "across_versus": (
        "Times are of {arm} in the same study: geometric mean over the tasks.",
        "倍数相对于同一研究中的 {arm}：各任务的几何平均。",
    ),
    # the matrix
    "across_matrix": ("Arms and tasks", "方案与任务"),
    "across_matrix_lead": (
        "Macro-F1 on test with its 95 % interval and the rank in that study; an equals sign marks "
        "a shared rank: the difference could be chance.",
        "测试集宏 F1、95% 区间及其在该研究中的名次；“=”表示并列：差异可能只是偶然。",
    ),
    "across_matrix_colour": (
        "The deeper the colour, the nearer to the task's best.",
        "颜色越深，越接近该任务的最好成绩。",
    ),
    "across_average_rank": ("Average rank", "平均名次"),
    "across_gap": ("Below the best", "低于最好"),
    "across_gap_more": (
        "what the arm's macro-F1 lies below the task's best, averaged over its tested tasks",
        "该方案宏 F1 低于任务最好成绩的幅度，按有测试的任务平均",
    ),
    "across_tasks": ("Tasks", "任务数"),
    "across_first": ("Ranked 1", "名列第一"),
    "across_won": ("Won", "胜"),
    "across_level": ("Could be chance", "可能偶然"),
    "across_lost": ("Lost", "负"),
    "across_training": ("Training", "训练用时"),
    "across_speed": ("Speed", "速度"),
    "across_not_in_study": ("not in the study", "不在该研究中"),
    "across_without": ("no score", "无分数"),
    "across_not_counted": ("in no average", "不计入平均"),
    "across_refusals": ("Who was refused or retired where", "哪些方案在哪里被拒绝或退出"),
    "across_stands": (
        "Of several studies of one task the latest with test scores stands in the matrix: {names}.",
        "同一任务有多项研究时，矩阵中采用最新的有测试分数的一项：{names}。",
    ),
    # averages
    "across_averages": ("Over all tasks", "总体"),
    "across_averages_lead": (
        "Contests: every two arms on every task with test scores, by the paired tests of that "
        "study. The average rank is by score, over the {k} arms tested on all {n} tasks; a dash "
        "stands for arms that some task lacks.",
        "比较：每个有测试分数的任务上的每两个方案，按该研究的配对检验判定。平均名次按分数计算，"
        "只含在全部 {n} 个任务上都有测试的 {k} 个方案；其余以短横表示。",
    ),
    "across_test_few": (
        "Friedman's test and a critical difference need at least {least} tasks and three common "
        "arms: with {n} tasks and {k} arms no claim over tasks is made.",
        "Friedman 检验和临界差至少需要 {least} 个任务和三个共同方案：目前 {n} 个任务、{k} 个方案，"
        "不作跨任务的断言。",
    ),
    "across_test_said": (
        "Friedman's test over {n} tasks and {k} arms: χ² {statistic}, p {p} (as corrected by Iman "
        "and Davenport). Critical difference (Nemenyi, 5 %): {cd} ranks.",
        "对 {n} 个任务、{k} 个方案的 Friedman 检验：χ² {statistic}，p {p}。临界差（Nemenyi，5%）："
        "{cd} 名。",
    ),
    "across_ranks_title": (
        "Of the {k} common arms {arm} scores highest on {first} of {n} tasks; its lowest place "
        "is {worst}",
        "在 {k} 个共同方案中，{arm} 在 {n} 个任务里有 {first} 个分数最高，最低名次为 {worst}",
    ),
    "across_ranks_about": (
        "Rank by score among the common arms: large, the average; small, each task.",
        "共同方案之间按分数的名次：大点为平均，小点为各任务。",
    ),
    "across_ranks_band": (
        "The grey band is the critical difference from the best: within it, chance.",
        "灰色带为与最好者的临界差：落在其中可能只是偶然。",
    ),
    "across_wins_title": (
        "{arm} wins {won} of its {contests} contests by more than chance and loses {lost}",
        "{arm} 在 {contests} 次比较中以不只是偶然的差距胜 {won} 次，负 {lost} 次",
    ),
    "across_wins_about": (
        "Share of an arm's paired contests, every other arm on every task.",
        "各方案配对比较结果的占比：每个任务上与其他每个方案比较。",
    ),
    "axis_rank": ("rank", "名次"),
    "axis_share_contests": ("share of contests", "占比"),
    "across_won_long": ("won by more than chance", "胜，不只是偶然"),
    "across_lost_long": ("lost by more than chance", "负，不只是偶然"),
    # trade-offs
    "across_trade_offs": ("Quality against cost, over tasks", "跨任务的效果与成本"),
    "across_trade_offs_reference": (
        "Every cost is a multiple of {arm} in the same study, so on the same machine; quality is "
        "the distance to the task's best. {arm} is the reference because it has the best average "
        "among the arms measured on every task.",
        "成本均为同一研究（即同一台机器）中 {arm} 的倍数；效果为与该任务最好成绩的差距。以 {arm} "
        "为基准，是因为它在每个任务都有测量的方案中平均最好。",
    ),
    "across_trade_offs_median": (
        "Every cost is a multiple of the study's median arm, because no arm was measured on every "
        "task; quality is the distance to the task's best.",
        "成本均为该研究中位方案的倍数，因为没有方案在每个任务上都有测量；"
        "效果为与该任务最好成绩的差距。",
    ),
    "across_trade_title_speed": (
        "{arm} is the fastest: {times} the speed of {base}, {gap} below the best on average",
        "{arm} 最快：速度是 {base} 的 {times}，平均比最好低 {gap}",
    ),
    "across_trade_title_training": (
        "{arm} is the cheapest to train: {times} the training time of {base}, {gap} below the "
        "best on average",
        "{arm} 训练最省：用时是 {base} 的 {times}，平均比最好低 {gap}",
    ),
    "across_trade_title_apart_speed": (
        "Speed, task by task: machines differ, so nothing is averaged",
        "逐任务的速度：机器不同，不作平均",
    ),
    "across_trade_title_apart_training": (
        "Training time, task by task: machines differ, so nothing is averaged",
        "逐任务的训练用时：机器不同，不作平均",
    ),
    "across_trade_title_some_speed": (
        "Speed, task by task: no arm was measured on every task",
        "逐任务的速度：没有方案在每个任务上都有测量",
    ),
    "across_trade_title_some_training": (
        "Training time, task by task: no arm was measured on every task",
        "逐任务的训练用时：没有方案在每个任务上都有测量",
    ),
    "across_far": (
        "Not drawn, more than {far} below the best: {points}.",
        "未画出（比最好低 {far} 以上）：{points}。",
    ),
    "across_far_point": ("{arm} on {task} ({gap})", "{task} 上的 {arm}（{gap}）"),
    "across_tasks_of": ("{n} of {total} tasks", "{total} 个任务中的 {n} 个"),
    "across_trade_about": (
        "Macro-F1 less the task's best, against {cost}, logarithmic. Small: a task. Large: the "
        "mean of an arm that was measured on all tasks.",
        "宏 F1 减去任务最好成绩，横轴为{cost}（对数）。小点：单个任务；大点："
        "在全部任务上都有测量的方案的平均。",
    ),
    "across_cost_speed": ("texts per second ÷ {base}'s", "每秒条数 ÷ {base}"),
    "across_cost_training": ("training time ÷ {base}'s", "训练用时 ÷ {base}"),
    "across_median": ("the median arm", "中位方案"),
    "axis_gap": ("macro-F1 below the task's best", "与任务最好宏 F1 的差距"),
    "across_mean": ("mean over tasks", "各任务平均"),
    "across_small_multiples": ("The same, task by task", "逐个任务"),
    "across_small_lead": (
        "Each task in its own units; an arm keeps its colour.",
        "各任务用各自的单位；同一方案颜色不变。",
    ),
    "across_task_title": ("{task}: {finding}", "{task}：{finding}"),
    "across_by_speed": ("Against texts per second", "对每秒条数"),
    "across_by_training": ("Against training time", "对训练用时"),
    # side by side
    "across_pairs": ("Side by side", "并排比较"),
    "across_pairs_lead": (
        "Two studies of one task: what differs in their circumstances, and whether each arm got "
        "better.",
        "同一任务的两项研究：条件有何不同，各方案是否变好。",
    ),
    "across_pairs_left": (
        "{n} more pairs are not shown: of many studies each is compared with the latest.",
        "另有 {n} 对未列出：研究较多时，各项只与最新的一项比较。",
    ),
    "across_from_to": ("{task}: {before} → {after}", "{task}：{before} → {after}"),
    "across_paired": (
        "Both hold predictions on the same test rows: a paired bootstrap on these rows, p "
        "Holm-adjusted over the arms.",
        "两者在同一批测试样本上都保存了预测：在这些样本上做配对自助检验，"
        "p 值对各方案做 Holm 校正。",
    ),
    "across_unpaired_no_predictions": (
        "Not paired, because one of them kept no predictions: judged from the two 95 % intervals "
        "as if independent, which sees less; p Holm-adjusted over the arms.",
        "未配对，因为其中之一没有保存预测：由两个 95% 区间按独立样本判断，灵敏度较低；"
        "p 值对各方案做 Holm 校正。",
    ),
    "across_unpaired_rows_differ": (
        "Not paired, because the test rows differ: judged from the two 95 % intervals, and a "
        "difference may come from the rows; p Holm-adjusted over the arms.",
        "未配对，因为测试样本不同：由两个 95% 区间判断，差异可能来自样本本身；"
        "p 值对各方案做 Holm 校正。",
    ),
    "across_unpaired_sample": (
        "Not paired, because one of them is the bundled sample: its score says nothing about the "
        "real task.",
        "未配对，因为其中之一是内置样例：其分数与真实任务无关。",
    ),
    "across_no_claim": (
        "Not both have test scores: validation is compared, and no claim about chance is made.",
        "并非两者都有测试分数：只比较验证集，不对偶然性作断言。",
    ),
    "across_before": ("Before", "之前"),
    "across_after": ("After", "之后"),
    "across_change": ("Change", "变化"),
    "across_method": ("Test", "检验"),
    "across_method_paired": ("paired", "配对"),
    "across_method_unpaired": ("from intervals", "由区间"),
    "across_method_none": ("none", "无"),
    "across_verdict_better": ("better", "变好"),
    "across_verdict_worse": ("worse", "变差"),
    "across_verdict_chance": ("could be chance", "可能只是偶然"),
    "across_verdict_unknown": ("no claim", "不作断言"),
    "across_only_before": ("Only in {study}: {arms}.", "仅在 {study} 中：{arms}。"),
    "across_only_after": ("Only in {study}: {arms}.", "仅在 {study} 中：{arms}。"),
    "across_what_changed": ("What changed", "有何不同"),
    "across_nothing_changed": (
        "Nothing that is recorded differs.",
        "记录的条件没有不同。",
    ),
    "across_unchanged": ("The same in both: {facts}.", "两者相同：{facts}。"),
    "across_forest_title": (
        "{better} better by more than chance, {worse} worse, {chance} could be chance",
        "{better} 个变好（不只是偶然），{worse} 个变差，{chance} 个可能只是偶然",
    ),
    "across_forest_title_none": (
        "{n} arms in both; no claim about chance",
        "两者共有 {n} 个方案；不对偶然性作断言",
    ),
    "across_forest_about": (
        "Change of macro-F1 from {before} to {after}, with its 95 % interval.",
        "从 {before} 到 {after} 的宏 F1 变化及其 95% 区间。",
    ),
    "axis_change": ("change of macro-F1", "宏 F1 的变化"),
    "across_fact": ("Fact", "条件"),
    "across_studies": ("The studies", "各项研究"),
    "across_machine_costs": (
        "Training time and speed are not compared: the machines differ or are not known.",
        "不比较训练用时与速度：机器不同或未知。",
    ),
    "fact_recipe": ("recipe", "配方"),
    "fact_arms": ("arms", "方案"),
    "fact_source": ("data source", "数据来源"),
    "fact_fingerprint": ("data fingerprint", "数据指纹"),
    "fact_train_rows": ("training rows", "训练行数"),
    "fact_validation_rows": ("validation rows", "验证行数"),
    "fact_test_rows": ("test rows", "测试行数"),
    "fact_classes": ("classes", "类别数"),
    "fact_machine": ("machine", "机器"),
    "fact_python": ("Python", "Python"),
    "fact_seeds": ("seeds of the finals", "决赛种子数"),
    "fact_trials": ("finished trials", "完成的试验数"),
    "fact_allocation": ("allocation", "分配方式"),
    "fact_sampler": ("sampler", "采样器"),
    "fact_pruner": ("pruner", "剪枝器"),
    "fact_openings": ("openings of test", "测试集打开次数"),
    "fact_budget": ("budget", "预算"),
    "fact_bounds": ("bounds", "约束"),
    "fact_versions": ("versions", "版本"),
    "fact_revision": ("model revision", "模型版本"),
}
