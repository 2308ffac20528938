"""Every word a report says, in one dictionary: English and Chinese stand side by side.

Templates, charts and the answer ask here by key, so a language is complete when this file is,
and a report in one language can't hold a sentence of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from suite.errors import ReportError, nearest
from suite.report.words_across import WORDS_ACROSS

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

#: key -> (English, Chinese). Placeholders are `str.format` fields, the same in both.
WORDS: dict[str, tuple[str, str]] = {
    # the frame
    "html_lang": ("en", "zh-CN"),
    "eyebrow": ("Text classification study", "文本分类研究"),
    "task": ("Task", "任务"),
    "study": ("Study", "研究"),
    "created": ("Created", "创建于"),
    "contents": ("Contents", "目录"),
    "rows_line": (
        "{train} train · {validation} validation · {test} test rows",
        "训练 {train} 行 · 验证 {validation} 行 · 测试 {test} 行",
    ),
    "trials_line": ("{n} trials", "{n} 次试验"),
    "arms_line": ("{n} arms", "{n} 个方案"),
    "and": (" and ", "和"),
    "or": (" or ", "或"),
    "comma": (", ", "、"),
    "semicolon": ("; ", "；"),
    "space": (" ", ""),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "none": ("none", "无"),
    "missing": ("–", "–"),
    "stop": (". ", "。"),
    "colon": (": ", "："),
    "noscript": (
        "Charts and sorting need JavaScript; every table below reads without it.",
        "图表和排序需要 JavaScript；不启用时，下面的表格仍可阅读。",
    ),
    "index_title": ("Studies", "全部研究"),
    "index_intro": ("{n} studies, each on its own page.", "共 {n} 项研究，各有一页。"),
    "made_by": ("Written by suite {version}.", "由 suite {version} 生成。"),
    # families and strategies
    "family_classic": ("classic", "经典模型"),
    "family_encoder": ("encoder", "编码器"),
    "family_decoder": ("decoder", "解码器"),
    "family_other": ("other", "其他"),
    # the answer
    "banner_sample": (
        "Bundled sample, not real data",
        "内置样例，并非真实数据",
    ),
    "banner_sample_more": (
        "A seeded generator wrote these rows so that the suite can be tried without a download. "
        "Every number on this page describes the generator, none describes '{title}'.",
        "这些数据由固定种子的生成器写成，以便不下载任何东西就能试用。"
        "本页的所有数字只说明生成器，与“{title}”的真实数据无关。",
    ),
    "answer_title": ("The answer", "结论"),
    "answer_sample": (
        "This is the bundled sample, not the real data: it shows how the suite works, and no "
        "figure here holds for '{title}'.",
        "这是内置样例，并非真实数据：它只演示本工具如何工作，数字不适用于“{title}”。",
    ),
    "answer_missing": (
        "No {families} arm could be compared: every one was refused or retired ({n} in all; "
        "the reasons are listed).",
        "没有任何{families}方案参与比较：它们全部被拒绝或退出（共 {n} 个，原因均已列出）。",
    ),
    "answer_infeasible": (
        "No arm meets the bounds ({bounds}).",
        "没有方案满足约束（{bounds}）。",
    ),
    "answer_within": ("Within the bounds ({bounds}): ", "在约束之内（{bounds}）："),
    "answer_nothing": (
        "No arm has finished a trial yet, so there is nothing to rank.",
        "还没有方案完成试验，暂无排名。",
    ),
    "answer_single": (
        "{arm} is best on the test split: macro-F1 {f1}, {gap} above {second}, which {chance}.",
        "{arm} 在测试集上最好：宏平均 F1 {f1}，比 {second} 高 {gap}，{chance}。",
    ),
    "answer_only": (
        "{arm} is the only arm with a test score, so it is compared with nothing: macro-F1 {f1}.",
        "只有 {arm} 有测试分数，没有可比较的对象：宏平均 F1 {f1}。",
    ),
    "answer_tie": (
        "{arms} share rank 1: on the test split they cannot be told apart, and the "
        "lead of {gap} over {second} {chance}.",
        "{arms} 并列第一：在测试集上无法区分高下，领先 {second} 的 {gap} {chance}。",
    ),
    "answer_tie_within": (
        "{arms} cannot be told apart on the test split; the lead of {gap} over {second} {chance}.",
        "{arms} 在测试集上无法区分高下，领先 {second} 的 {gap} {chance}。",
    ),
    "answer_member": (
        "{arm} (macro-F1 {f1}, 95 % interval {low}–{high})",
        "{arm}（宏平均 F1 {f1}，95% 区间 {low}–{high}）",
    ),
    "answer_member_next": ("{arm} ({f1}, {low}–{high})", "{arm}（{f1}，{low}–{high}）"),
    "answer_more": ("{n} more", "另外 {n} 个"),
    "answer_tie_both": (
        "Of these, {arm} is both the fastest to serve ({rps}) and the cheapest to train ({time})",
        "其中 {arm} 推理最快（{rps}），训练也最省（{time}）",
    ),
    "answer_tie_fast_cheap": (
        "Of these, {fast} is the fastest to serve ({rps}), and {cheap} is the cheapest "
        "to train ({time})",
        "其中 {fast} 推理最快（{rps}），{cheap} 训练最省（{time}）",
    ),
    "answer_tie_fast": (
        "Of these, {fast} is the fastest to serve ({rps})",
        "其中 {fast} 推理最快（{rps}）",
    ),
    "answer_tie_cheap": (
        "Of these, {cheap} is the cheapest to train ({time})",
        "其中 {cheap} 训练最省（{time}）",
    ),
    "answer_rival_cheap": (
        "cheapest of all to train is {cheap} ({time}, {rps}), which scores {gap} lower",
        "所有方案中训练最省的是 {cheap}（{time}，{rps}），低 {gap}",
    ),
    "answer_validation": (
        "On validation alone {arm} leads with macro-F1 {f1}, {gap} above {second}; the "
        "test split has not been opened, so whether that is more than chance is not "
        "known yet.",
        "仅看验证集，{arm} 领先，宏平均 F1 {f1}，比 {second} 高 "
        "{gap}；测试集尚未打开，是否只是偶然还不清楚。",
    ),
    "answer_interval": ("{f1} (95 % interval {low}–{high})", "{f1}（95% 区间 {low}–{high}）"),
    "answer_trained": (
        "It trained in {time}",
        "训练用时 {time}",
    ),
    "answer_serves": (
        "It serves {rps}",
        "推理速度{rps}",
    ),
    "answer_stale": (
        "The study searched on after the finals, so they are stale: a better trial may exist "
        "that was not tested.",
        "决赛之后又继续搜索，因此决赛结果已过时：可能有更好的试验尚未测试。",
    ),
    "answer_openings": (
        "The test split has been opened {n} times; each look makes its score a little more "
        "flattering.",
        "测试集已被打开 {n} 次；每多看一次，分数就更偏乐观。",
    ),
    "bound_min_rps": ("at least {value} texts/s", "每秒至少 {value} 条"),
    "bound_max_train_seconds": ("trained within {value}", "训练不超过 {value}"),
    "bound_other": ("{name} {value}", "{name} {value}"),
    "more_than_chance": (
        "is more than chance",
        "不只是偶然",
    ),
    "more_than_chance_p": (
        "is more than chance (p {p})",
        "不只是偶然（p {p}）",
    ),
    "could_be_chance": (
        "could be chance",
        "可能只是偶然",
    ),
    "could_be_chance_p": (
        "could be chance (p {p})",
        "可能只是偶然（p {p}）",
    ),
    "answer_validation_only": (
        "On validation alone {arm} has macro-F1 {f1}, and no other arm has a result; "
        "the test split has not been opened.",
        "仅看验证集，{arm} 的宏平均 F1 为 {f1}，其他方案尚无结果；测试集尚未打开。",
    ),
    "answer_costs": (
        "It trained in {time} and serves {rps}",
        "训练用时 {time}，推理速度{rps}",
    ),
    "answer_times_training": (
        "{times} the training time",
        "训练用时的 {times}",
    ),
    "answer_times_speed": (
        "{times} the speed",
        "速度的 {times}",
    ),
    "answer_against_second": (
        "that is {costs} of the runner-up {arm}",
        "是第二名 {arm} {costs}",
    ),
    "answer_against_both": (
        "that is {costs} of the runner-up {arm}, which is also the cheapest to train",
        "是第二名 {arm} {costs}，后者也是训练最省的",
    ),
    "answer_against_cheapest": (
        "and {costs} of {arm}, the cheapest to train, which scores {gap} lower",
        "是训练最省的 {arm} {costs}，后者低 {gap}",
    ),
    "answer_is_cheapest": (
        "no arm of use is cheaper to train",
        "没有更省训练且可用的方案",
    ),
    "answer_tie_instead": (
        ", where {leader} has {costs} of {arm}",
        "，而 {leader} 是 {arm} {costs}",
    ),
    "end": (
        ".",
        "。",
    ),
    # metrics
    "metric_rank": ("Rank", "名次"),
    "metric_arm": ("Arm", "方案"),
    "metric_test_macro_f1": ("Test macro-F1", "测试宏 F1"),
    "metric_test_interval": ("95 % interval", "95% 区间"),
    "metric_test_accuracy": ("Test accuracy", "测试准确率"),
    "metric_validation_macro_f1": ("Validation macro-F1", "验证宏 F1"),
    "metric_validation_accuracy": ("Validation accuracy", "验证准确率"),
    "metric_train_seconds": ("Training", "训练用时"),
    "metric_offline_rps": ("Texts/s", "每秒条数"),
    "metric_p50_ms": ("p50", "p50"),
    "metric_p90_ms": ("p90", "p90"),
    "metric_p99_ms": ("p99", "p99"),
    "metric_peak_memory_bytes": ("Peak memory", "内存峰值"),
    "metric_parameters": ("Parameters", "参数量"),
    "metric_trials": ("Trials", "试验数"),
    "metric_settings": ("Best hyperparameters", "最佳超参数"),
    "axis_train_seconds": (
        "training time, s",
        "训练用时，秒",
    ),
    "axis_offline_rps": (
        "texts per second, Offline",
        "每秒处理条数，Offline",
    ),
    "axis_test_macro_f1": ("macro-F1 on test", "测试集宏平均 F1"),
    "axis_validation_macro_f1": ("macro-F1 on validation", "验证集宏平均 F1"),
    "split_test": ("test", "测试集"),
    "split_validation": ("validation", "验证集"),
    "split_train": ("train", "训练集"),
    "unit_rps": ("{n} texts/s", "每秒 {n} 条"),
    "unit_seconds": ("{n} s", "{n} 秒"),
    "unit_minutes": ("{m} min {s} s", "{m} 分 {s} 秒"),
    "unit_hours": ("{h} h {m} min", "{h} 小时 {m} 分"),
    "unit_ms": ("{n} ms", "{n} 毫秒"),
    # the leaderboard
    "leaderboard": ("Leaderboard", "排行榜"),
    "leaderboard_test": (
        "Ranked on the test split. Arms whose difference could be chance share a rank ('='): an "
        "arm's rank is one more than the number of arms significantly better than it.",
        "按测试集排名。差异可能只是偶然的方案并列（“=”）：名次等于显著优于它的方案数加一。",
    ),
    "leaderboard_validation": (
        "Ordered on validation only: the finals have not been run, the test split is unopened, and "
        "no claim about chance is made.",
        "仅按验证集排序：决赛尚未进行，测试集未打开，不对偶然性作任何断言。",
    ),
    "sort_hint": ("Click a heading to sort.", "点击表头可排序。"),
    "leaderboard_empty": ("No arm has a result yet.", "还没有方案有结果。"),
    "by_validation": ("by validation", "按验证集"),
    "tied_with": ("shares the rank with {arms}", "与 {arms} 并列"),
    "flag_stale": ("stale", "已过时"),
    "flag_stale_more": (
        "the study searched on after these finals",
        "决赛之后研究又继续搜索",
    ),
    "flag_contended": ("contended", "有争用"),
    "flag_contended_more": (
        "measured while other workers ran on the machine",
        "测量时机器上还有其他任务",
    ),
    "flag_infeasible": ("breaks bounds", "超出约束"),
    "flag_infeasible_more": (
        "does not meet the recipe's bounds",
        "不满足配方中的约束",
    ),
    "flag_invalid": ("not valid", "无效"),
    "flag_invalid_more": (
        "LoadGen did not accept the run (too short for its rules)",
        "LoadGen 未认可这次测量（时间过短）",
    ),
    "flag_refused": ("refused", "被拒绝"),
    "flag_retired": ("retired", "已退出"),
    "flag_no_final": ("not tested", "未测试"),
    "flag_no_final_more": ("has no test score", "没有测试分数"),
    "seeds": ("{n} seeds", "{n} 个种子"),
    "trials_pruned": ("{n} ({p} pruned)", "{n}（剪枝 {p}）"),
    "trials_title": (
        "{n} finished: {c} complete, {p} pruned, {f} failed",
        "共结束 {n} 次：完成 {c}，剪枝 {p}，失败 {f}",
    ),
    "comparisons": ("Which differences are real", "哪些差异是真实的"),
    "comparisons_intro": (
        "Paired tests on the same test rows; p is Holm-adjusted over all pairs, and below .05 "
        "the better arm ranks above the other.",
        "在同一批测试样本上的配对检验；p 值经 Holm 校正，低于 0.05 时较好的方案排在前面。",
    ),
    "pair_a": ("Arm", "方案"),
    "pair_b": ("against", "对比"),
    "difference": ("Difference in macro-F1", "宏 F1 之差"),
    "interval": ("95 % interval", "95% 区间"),
    "p_adjusted": ("p (Holm)", "p（Holm）"),
    "verdict": ("Verdict", "判断"),
    "verdict_real": ("{arm} is better", "{arm} 更好"),
    "verdict_chance": ("could be chance", "可能只是偶然"),
    # charts
    "charts": ("Quality against cost", "效果与成本"),
    "charts_intro": (
        "The line joins the arms that no other arm beats on both axes. Colour is the arm, shape "
        "the family.",
        "折线连接的是没有被其他方案同时在两个轴上超过的方案。颜色表示方案，形状表示模型家族。",
    ),
    "chart_rps": ("Macro-F1 against texts per second", "宏 F1 与每秒处理条数"),
    "chart_time": ("Macro-F1 against training time", "宏 F1 与训练用时"),
    "chart_none": ("No arm has both figures yet.", "还没有方案同时具备这两项数据。"),
    "chart_left_out": ("Not drawn for want of a figure: {arms}.", "因缺少数据未画出：{arms}。"),
    "pareto": ("Pareto front", "帕累托前沿"),
    "front_is": ("On the front: {arms}.", "位于前沿：{arms}。"),
    # serving engines
    "engines": ("Serving engines", "推理引擎"),
    "engines_intro": (
        "Each arm's kept checkpoint behind each engine, by MLPerf LoadGen. An engine that decides "
        "otherwise than the trained model on validation is not timed and ranks nowhere.",
        "用 MLPerf LoadGen 测量各方案保留的检查点在各引擎上的速度。若引擎在验证集上的判断与训练所得"
        "模型不一致，则不计时、不排名。",
    ),
    "engines_bold": (
        "Bold: the arm's fastest valid engine in a scenario; machines are not compared.",
        "粗体：该方案在此场景中最快的有效引擎；不同机器之间不作比较。",
    ),
    "engines_star": (
        "An asterisk: the arm's fastest valid engine in a scenario; machines are not compared.",
        "星号：该方案在此场景中最快的有效引擎；不同机器之间不作比较。",
    ),
    "agreement": ("Agreement", "一致率"),
    "agreement_rows": ("on {n} validation rows", "验证集 {n} 行"),
    "f1_difference": ("F1 difference", "F1 之差"),
    "single_p50": ("SingleStream p50", "SingleStream p50"),
    "single_p99": ("SingleStream p99", "SingleStream p99"),
    "offline_rate": ("Offline, texts/s", "Offline，每秒条数"),
    "server_rate": ("Server, texts/s", "Server，每秒条数"),
    "server_within": (
        "random arrivals, p99 within {bound}: measured {p99}",
        "随机到达，p99 不超过 {bound}：实测 {p99}",
    ),
    "prepare_seconds": ("Preparing", "准备用时"),
    "machine": ("Machine", "机器"),
    "versions": ("Versions", "版本"),
    "fastest": ("fastest", "最快"),
    "fastest_more": (
        "nothing else that was measured on this machine is faster in this scenario",
        "在此机器上测量的所有组合中，此场景下最快",
    ),
    "engine_stale": (
        "measured with trial {n}, whose checkpoint is kept no more",
        "测量的是试验 {n} 的检查点，现已不再保留",
    ),
    "flag_disagrees": ("disagrees", "不一致"),
    "flag_failed": ("failed", "失败"),
    "search": ("The search", "搜索过程"),
    "curves": ("Checkpoints", "检查点"),
    "curves_intro": (
        "Macro-F1 on validation at fractions of a trial's budget. Thick: the arm's "
        "best trial; faint and dotted: pruned.",
        "试验预算各阶段的验证集宏 F1。粗线为该方案最佳试验，淡虚线为被剪枝的试验。",
    ),
    "curves_capped": (
        "{shown} of {total} curves are drawn: the best {cap} of each arm.",
        "共 {total} 条曲线，画出 {shown} 条：每个方案最好的 {cap} 条。",
    ),
    "axis_fraction": ("fraction of the budget", "预算比例"),
    "history": ("Trials over time", "试验历程"),
    "history_intro": (
        "Each finished trial's macro-F1 on validation; the line is the best so far.",
        "每次试验的验证集宏 F1；折线为当时的最佳值。",
    ),
    "history_capped": (
        "{shown} of {total} trials are drawn: every improvement, the rest thinned evenly.",
        "共 {total} 次试验，画出 {shown} 次：保留每次改进，其余均匀抽取。",
    ),
    "axis_trial": ("trial", "试验编号"),
    "best_so_far": ("best so far", "当时最佳"),
    "importance": ("What mattered", "哪些超参数重要"),
    "importance_intro": (
        "Share of the differences in macro-F1 that each hyperparameter explains within "
        "its arm (PED-ANOVA, arms with 8 complete trials or more).",
        "各超参数在其方案内对宏 F1 差异的解释份额（PED-ANOVA，至少 8 次完成的试验）。",
    ),
    "axis_importance": ("importance", "重要性"),
    "state_complete": ("complete", "完成"),
    "state_pruned": ("pruned", "剪枝"),
    "state_fail": ("failed", "失败"),
    "state_running": ("running", "进行中"),
    "state_waiting": ("waiting", "等待中"),
    # classes
    "classes": ("Where it errs", "错在哪里"),
    "classes_intro": (
        "Each arm's best trial, on {split}. A row of the matrix is a true class; colour is the "
        "share of that class.",
        "各方案的最佳试验，数据为{split}。矩阵的一行是一个真实类别；颜色为该类中的占比。",
    ),
    "choose_arm": ("Arm", "方案"),
    "top_confusions": ("Most frequent confusions", "最常见的混淆"),
    "no_confusions": ("No confusion: every row is right.", "没有混淆：全部正确。"),
    "per_class": ("F1 of each class", "各类别 F1"),
    "per_class_capped": (
        "The {shown} hardest of {total} classes, by the mean over the arms; all are in the table.",
        "按各方案平均值，画出 {total} 类中最难的 {shown} 类；全部见下表。",
    ),
    "per_class_table": ("F1 of all {n} classes", "全部 {n} 类的 F1"),
    "true_class": ("True class", "真实类别"),
    "predicted_class": ("Predicted as", "预测为"),
    "count": ("Rows", "行数"),
    "share_of_class": ("Share of the class", "占该类比例"),
    "class": ("Class", "类别"),
    "predicted": ("predicted", "预测"),
    "true": ("true", "真实"),
    # not compared
    "absent": ("Not compared", "未参与比较"),
    "absent_none": ("Every arm took part, and no trial failed.", "所有方案均参与，没有试验失败。"),
    "refused": ("Refused arms", "被拒绝的方案"),
    "retired": ("Retired arms", "退出的方案"),
    "without_result": ("Arms without a result", "没有结果的方案"),
    "failed": ("Failed trials", "失败的试验"),
    "reason": ("Reason", "原因"),
    "family": ("Family", "家族"),
    "trial": ("Trial", "试验"),
    "trials": ("Trials", "试验"),
    "reason_waiting": ("no trial has finished yet", "还没有试验结束"),
    "reason_all_pruned": ("all {n} finished trials were pruned", "{n} 次试验全部被剪枝"),
    "reason_all_failed": ("all {n} finished trials failed", "{n} 次试验全部失败"),
    "reason_none_complete": (
        "no trial is complete: {p} pruned, {f} failed",
        "没有完成的试验：剪枝 {p}，失败 {f}",
    ),
    "reason_unknown": ("no reason was recorded", "没有记录原因"),
    "and_more_groups": ("and {n} more reasons, in the JSON", "另有 {n} 种原因，见 JSON"),
    # data
    "data": ("The data", "数据"),
    "data_source": ("Source", "来源"),
    "data_fingerprint": ("Fingerprint", "指纹"),
    "data_train_of": (
        "{n} of {total} training rows were used",
        "使用了 {total} 行训练数据中的 {n} 行",
    ),
    "no_audit": ("The data was not audited.", "数据未经检查。"),
    "warnings": ("Warnings", "警告"),
    "split": ("Split", "划分"),
    "rows": ("Rows", "行数"),
    "empty": ("Empty", "空文本"),
    "exact_duplicates": ("Exact duplicates", "完全重复"),
    "normalised_duplicates": ("Near duplicates", "规范化后重复"),
    "conflicting_labels": ("Conflicting labels", "标签冲突"),
    "length": (
        "Length in characters (mean · p50 · p95 · max)",
        "字符长度（均值 · p50 · p95 · 最大）",
    ),
    "leaks": ("Leaks between splits", "划分之间的泄漏"),
    "test_in_train": (
        "Test rows that stand in train: {n} ({normalised} when case and spacing are ignored)",
        "测试集中出现于训练集的行：{n}（忽略大小写和空白时 {normalised}）",
    ),
    "validation_in_train": (
        "Validation rows that stand in train: {n}",
        "验证集中出现于训练集的行：{n}",
    ),
    "class_counts": ("Rows of each class", "各类行数"),
    "class_range": (
        "{n} classes; the smallest has {low} training rows ({low_name}), the largest {high} "
        "({high_name})",
        "共 {n} 类；训练集中最小类 {low} 行（{low_name}），最大类 {high} 行（{high_name}）",
    ),
    "class_equal": (
        "{n} classes of {count} training rows each",
        "共 {n} 类，训练集每类 {count} 行",
    ),
    "class_table": ("All {n} classes", "全部 {n} 类"),
    "truncated": ("Texts cut at the token limit", "在长度上限处被截断的文本"),
    "model": ("Model", "模型"),
    # circumstances
    "circumstances": ("Circumstances", "实验条件"),
    "repeat": ("To repeat it", "复现命令"),
    "copy": ("Copy", "复制"),
    "copied": ("Copied", "已复制"),
    "no_command": ("The command was not recorded.", "没有记录命令。"),
    "recipe": ("Recipe", "配方"),
    "target": ("Trials asked for", "目标试验数"),
    "allocation": ("Allocation", "分配方式"),
    "sampler": ("Sampler", "采样器"),
    "pruner": ("Pruner", "剪枝器"),
    "budget": ("Budget of a trial", "单次试验预算"),
    "bounds": ("Bounds", "约束"),
    "latency_bound": ("Latency bound", "延迟上限"),
    "openings": ("Times the test split was opened", "测试集打开次数"),
    "environment": ("Machine and versions", "机器与版本"),
    "measured": ("How each arm was measured", "各方案如何测量"),
    "revision": ("Model revision", "模型版本"),
    "seed": ("Seed", "种子"),
    "precision": ("Precision", "精度"),
    "engine": ("Engine", "引擎"),
    "batch": ("Batch", "批大小"),
    "device": ("Device", "设备"),
    "threads": ("Threads", "线程数"),
    "load_seconds": ("Loading", "加载用时"),
    "evaluation_seconds": ("Evaluation", "评估用时"),
    "other_form": (
        "as {form}: {rate} Offline, p50 {p50} SingleStream",
        "以 {form} 形式：Offline {rate}，SingleStream p50 {p50}",
    ),
    "other_facts": ("Noted", "备注"),
    "contended": ("Contended", "有争用"),
    # references
    "references": ("Published numbers", "已发表的数字"),
    "references_intro": (
        "Drawn as lines only where the test data and the training size match ours; the others "
        "are listed with what differs.",
        "只有测试数据和训练规模与我们一致的才画成横线；其余列出差异所在。",
    ),
    "drawn": ("Drawn in the charts", "已画入图表"),
    "drawn_later": (
        "Comparable, and drawn once the finals have run",
        "可比较，决赛之后画入图表",
    ),
    "footnoted": ("Not comparable", "不可直接比较"),
    "metric": ("Metric", "指标"),
    "value": ("Value", "数值"),
    "ours": ("Ours, best", "我们的最佳值"),
    "source": ("Source", "出处"),
    "differs": ("What differs", "差异"),
    "metric_accuracy": ("accuracy", "准确率"),
    "metric_macro_f1": ("macro-F1", "宏 F1"),
    "references_accuracy": (
        "Dotted lines are accuracy; they stand on the macro-F1 axis only for orientation.",
        "点线为准确率；画在宏 F1 轴上仅供参考。",
    ),
    # trials
    "all_trials_more": ("Show {n} trials", "显示 {n} 次试验"),
    "state": ("State", "状态"),
    "macro_f1": ("Macro-F1", "宏 F1"),
    "hyperparameters": ("Hyperparameters", "超参数"),
    "note": ("Note", "备注"),
    "filter_all": ("all arms", "全部方案"),
    "filter_states": ("all states", "全部状态"),
    "show_more": ("Show more", "显示更多"),
    "shown_of": ("{shown} of {total}", "{shown} / {total}"),
    "skip": (
        "Skip to the answer",
        "跳到结论",
    ),
    "theme_auto": (
        "Theme: system",
        "主题：跟随系统",
    ),
    "theme_light": (
        "Theme: light",
        "主题：浅色",
    ),
    "theme_dark": (
        "Theme: dark",
        "主题：深色",
    ),
    "chart_wait": (
        "The chart is being drawn …",
        "正在绘制图表……",
    ),
    "chart_old": (
        "This browser is too old to unpack the charts; their values are in the tables "
        "and in the JSON file.",
        "浏览器版本过旧，无法显示图表；数值见表格和 JSON 文件。",
    ),
    "data_show": (
        "Show data",
        "显示数据",
    ),
    "data_hide": (
        "Hide data",
        "隐藏数据",
    ),
    "data_csv": (
        "Download CSV",
        "下载 CSV",
    ),
    "filter_arms": (
        "Filter arms",
        "筛选方案",
    ),
    "filter_families": (
        "all families",
        "全部家族",
    ),
    "axis_log": (
        "{title} (log)",
        "{title}（对数）",
    ),
    "interval_low": (
        "95 % low",
        "95% 下界",
    ),
    "interval_high": (
        "95 % high",
        "95% 上界",
    ),
    "about_trade_off": (
        "{y} against {x}, with 95 % intervals where test was scored. Up and towards "
        "the cheaper side is better.",
        "{y}与{x}；有测试分数时附 95% 区间。越高、越靠近省的一侧越好。",
    ),
    "bubbles": (
        "The area of a point is peak memory while training.",
        "圆点面积表示训练时的内存峰值。",
    ),
    "finding_only": (
        "Only {arm} has both figures",
        "只有 {arm} 同时具备两项数据",
    ),
    "finding_speed": (
        "{arm} serves {times} as many texts as {best}, for {gap} less macro-F1",
        "{arm} 每秒处理的条数是 {best} 的 {times}，宏 F1 低 {gap}",
    ),
    "finding_speed_same": (
        "{arm} is both the best and the fastest to serve",
        "{arm} 效果最好，推理也最快",
    ),
    "finding_time": (
        "{best} takes {times} the training time of {arm}, for {gap} more macro-F1",
        "{best} 的训练用时是 {arm} 的 {times}，宏 F1 高 {gap}",
    ),
    "finding_time_same": (
        "{arm} is both the best and the cheapest to train",
        "{arm} 效果最好，训练也最省",
    ),
    "finding_curves": (
        "{arm}'s best trial is within 0.01 of its best score from {share} of its budget on",
        "{arm} 的最佳试验从预算的 {share} 起，与其最佳分数相差不到 0.01",
    ),
    "finding_curves_fell": (
        "{arm}'s best trial was at its best at {share} of its budget, and fell after",
        "{arm} 的最佳试验在预算的 {share} 处最好，之后下降",
    ),
    "finding_curves_none": (
        "{n} trials have more than one checkpoint",
        "{n} 次试验有多个检查点",
    ),
    "finding_history": (
        "Trial {n} ({arm}) brought the best validation score, {score}; {after} trials "
        "came after it",
        "第 {n} 次试验（{arm}）得到最佳验证分数 {score}；其后还有 {after} 次试验",
    ),
    "finding_history_none": (
        "No trial has run to its end",
        "还没有试验跑完",
    ),
    "finding_importance": (
        "In {arm}, {parameter} explains {share} of the differences between trials",
        "在 {arm} 中，{parameter} 解释了试验间差异的 {share}",
    ),
    "finding_parallel": (
        "The best trial, {n}, scored {score} with {parameter} = {value}",
        "最佳试验 {n} 得分 {score}，其 {parameter} = {value}",
    ),
    "finding_slices": (
        "{n} trials lie between {low} and {high} on validation",
        "{n} 次试验的验证分数在 {low} 与 {high} 之间",
    ),
    "finding_confusion": (
        "{true} is most often taken for {predicted}: {n} rows, {share} of its class",
        "{true} 最常被误判为 {predicted}：{n} 行，占该类 {share}",
    ),
    "finding_per_class": (
        "{hard} is the hardest class (F1 {low} on average), {easy} the easiest ({high})",
        "{hard} 最难（平均 F1 {low}），{easy} 最容易（{high}）",
    ),
    "finding_timeline": (
        "{workers} workers ran {n} trials in {time}; {idle} of their time had no trial on it",
        "{workers} 个进程在 {time} 内运行了 {n} 次试验；其中 {idle} 的时间没有试验",
    ),
    "finding_timeline_one": (
        "One worker ran {n} trials in {time}; {idle} of its time had no trial on it",
        "一个进程在 {time} 内运行了 {n} 次试验；其中 {idle} 的时间没有试验",
    ),
    "finding_states": (
        "Of {n} trials {complete} ran to their end, {pruned} were pruned, {failed} failed",
        "{n} 次试验中，{complete} 次完成，{pruned} 次被剪枝，{failed} 次失败",
    ),
    "finding_costs": (
        "{arm} took {share} of the {time} that all trials took together",
        "全部试验共用 {time}，其中 {arm} 占 {share}",
    ),
    "finding_lengths": (
        "Half of the texts in {split} have at most {half} characters, one in twenty "
        "has more than {long}",
        "{split}中一半文本不超过 {half} 个字符，二十分之一超过 {long} 个",
    ),
    "learned": (
        "How they learned",
        "学习过程",
    ),
    "learned_none": (
        "No trial has more than one checkpoint yet.",
        "还没有试验有多个检查点。",
    ),
    "validation_rows": (
        "validation rows",
        "验证集行数",
    ),
    "hyperparameter": (
        "Hyperparameter",
        "超参数",
    ),
    "importance_none": (
        "Importance needs eight complete trials of an arm; none has so many.",
        "计算重要性需要某方案至少有八次完成的试验；目前没有。",
    ),
    "parallel_intro": (
        "Each line is a trial through its hyperparameters to its macro-F1 on "
        "validation; blue is better, thick the best, dotted pruned.",
        "每条线是一次试验，从各超参数连到验证集宏 F1；越蓝越好，粗线最佳，虚线为被剪枝。",
    ),
    "slices_intro": (
        "Macro-F1 on validation over each hyperparameter; faint: pruned, star: the best.",
        "验证集宏 F1 与各超参数；淡色为被剪枝，星号为最佳。",
    ),
    "knobs_capped": (
        "{shown} of {total} trials are drawn: the best, and an even part of the rest.",
        "共 {total} 次试验，画出 {shown} 次：最好的，以及其余的均匀抽样。",
    ),
    "axes_capped": (
        "{shown} of {total} hyperparameters are drawn, the most important first.",
        "共 {total} 个超参数，画出最重要的 {shown} 个。",
    ),
    "knobs_none": (
        "No arm has three scored trials with different hyperparameters.",
        "没有方案有三次以上超参数不同的试验。",
    ),
    "confusion_intro": (
        "Rows are true classes, on {split}; colour is the share of the class.",
        "行为真实类别（{split}）；颜色为在该类中的占比。",
    ),
    "per_class_intro": (
        "F1 on {split}, hardest class first, a point for each arm.",
        "{split}上的 F1，最难的类别在前，每个方案一点。",
    ),
    "timeline_intro": (
        "Each bar is a trial; faint: pruned, crossed: failed. The first began at {began}.",
        "每个条是一次试验；淡色为被剪枝，叉纹为失败。第一次开始于 {began}。",
    ),
    "timeline_capped": (
        "{shown} of {total} trials are drawn: the longest.",
        "共 {total} 次试验，画出最长的 {shown} 次。",
    ),
    "states_intro": (
        "Trials of each arm by what became of them; equal budgets mean equal lengths.",
        "各方案试验的结局；预算相同则条长相同。",
    ),
    "costs_intro": (
        "Wall-clock time of each arm's trials. Other is loading, serving "
        "measurements and processes.",
        "各方案试验的实际用时。“其他”为加载、推理测速和进程开销。",
    ),
    "cost_training": (
        "training",
        "训练",
    ),
    "cost_scoring": (
        "scoring",
        "评估",
    ),
    "cost_other": (
        "other",
        "其他",
    ),
    "axis_elapsed_seconds": (
        "seconds since the first trial began",
        "距第一次试验开始的秒数",
    ),
    "axis_elapsed_minutes": (
        "minutes since the first trial began",
        "距第一次试验开始的分钟数",
    ),
    "axis_elapsed_hours": (
        "hours since the first trial began",
        "距第一次试验开始的小时数",
    ),
    "axis_wall_seconds": (
        "wall-clock seconds",
        "实际用时，秒",
    ),
    "axis_wall_minutes": (
        "wall-clock minutes",
        "实际用时，分钟",
    ),
    "axis_wall_hours": (
        "wall-clock hours",
        "实际用时，小时",
    ),
    "worker": (
        "Worker",
        "进程",
    ),
    "start_seconds": (
        "start, s",
        "开始，秒",
    ),
    "end_seconds": (
        "end, s",
        "结束，秒",
    ),
    "lengths_intro": (
        "Share of each split's texts with at most so many characters.",
        "各划分中长度不超过某字符数的文本比例。",
    ),
    "axis_length": (
        "length in characters",
        "字符长度",
    ),
    "axis_share": (
        "share of the texts",
        "文本占比",
    ),
    "role_best": (
        "best",
        "最佳",
    ),
    "role_tied": (
        "tied for best",
        "并列最佳",
    ),
    "role_second": (
        "runner-up",
        "第二名",
    ),
    "role_fastest": (
        "fastest to serve",
        "推理最快",
    ),
    "role_thrift": (
        "cheapest to train",
        "训练最省",
    ),
    "missed": (
        "Rows that every arm gets wrong",
        "所有方案都判错的行",
    ),
    "missed_intro": (
        "{n} of {total} test rows are missed by every arm of the finals; {shown} of "
        "them are shown.",
        "测试集 {total} 行中有 {n} 行被所有进入决赛的方案判错；显示其中 {shown} 行。",
    ),
    "missed_count": (
        "{n} of {total} test rows are missed by every arm of the finals; suite report "
        "{study} --examples shows them.",
        "测试集 {total} 行中有 {n} 行被所有进入决赛的方案判错。用 suite report "
        "{study} --examples 查看。",
    ),
    "missed_row": (
        "Test row (from 0)",
        "测试行（从 0 起）",
    ),
    "missed_text": (
        "Text",
        "文本",
    ),
    "missed_answers": (
        "Taken for",
        "被判为",
    ),
    "no_answer": (
        "no answer",
        "无回答",
    ),
    "commands_next": (
        "And then",
        "随后",
    ),
    "tiles_versus": (
        "Multiples are against {arm}.",
        "倍数均相对于 {arm}。",
    ),
    "index_across": (
        "Compare the arms across these studies",
        "跨研究比较各方案",
    ),
    "kept_fresh": (
        "Written at {at}; loads itself again every {seconds} s.",
        "写于 {at}；每 {seconds} 秒自动刷新。",
    ),
    "costs_and": (
        " and ",
        "、",
    ),
    # exports
    "answer_column": ("Answer", "结论"),
    "best_arm": ("Best", "最佳方案"),
}
WORDS.update(WORDS_ACROSS)


@dataclass(frozen=True)
class Words:
    """The words of one language, as a function of key and values."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """The phrase under a key, with its values put in.

        Raises:
            KeyError: no such key, or a value is missing: a defect of ours.
        """
        return WORDS[key][LANGUAGES.index(self.language)].format(**values)

    def pattern(self, key: str) -> str:
        """The phrase with its placeholders as they are, for a script to fill in."""
        return WORDS[key][LANGUAGES.index(self.language)]

    def join(self, parts: Sequence[str], last: Literal["and", "or"] = "and") -> str:
        """A list as prose: `a, b and c`, `a、b 和 c`."""
        if len(parts) < 2:
            return "".join(parts)
        head = self("comma").join(parts[:-1])
        # Latin names against Chinese text read better with a space between.
        link = self(last) if self.language == "en" else f" {self(last)} "
        return f"{head}{link}{parts[-1]}"

    def sentences(self, parts: Sequence[str]) -> str:
        """Sentences in a row, spaced as the language does."""
        return self("space").join(part for part in parts if part)


def words_of(language: str) -> Words:
    """The words of a language.

    Raises:
        ReportError: a language that is not spoken here.
    """
    if language not in LANGUAGES:
        raise ReportError(
            f"unknown language '{language}'", where="--lang", fix=nearest(language, LANGUAGES)
        )
    return Words(language)
