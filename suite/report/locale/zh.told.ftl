### 其他模块所说英文句子的中文说法：模式见 en.told.ftl，占位处的内容原样保留。


## Words that stand in the places of others

said_train = 训练集
said_validation = 验证集
said_test = 测试集
said_n_trials = { $n } 次试验
said_n_trainings = { $n } 次训练
said_n_rows = { $n } 行
said_n_training_rows = { $n } 行训练数据
said_n_validation_rows = { $n } 行验证数据
said_n_test_rows = { $n } 行测试数据
said_n_classes = { $n } 类
said_n_files = { $n } 个文件
said_n_texts = { $n } 条文本
said_n_cores = { $n } 个核
said_n_engines = { $n } 个引擎
said_n_failures = { $n } 次失败
said_n_requests = { $n } 个请求
said_n_answers = { $n } 个回答
said_n_tokens = { $n } 个 token
said_seconds = { $n } 秒
said_minutes = { $n } 分钟
said_hours = { $n } 小时

## Warnings about the data

said_also_in_train = { $said_split }有 { $n } 条文本同时出现在训练集中
said_nearly_in_train = 忽略大小写、空格和标点后，{ $said_split }有 { $n } 条文本同时出现在训练集中
said_nearly_more = 忽略大小写、空格和标点后，测试集还有 { $n } 条文本同时出现在训练集中
said_empty = { $said_split }有 { $n } 条空文本
said_conflicting = { $said_split }有 { $n } 条文本带有不止一种标签
said_near_train = { $said_split }有 { $n } 条文本与训练集中的几乎相同：只差几个词
said_near_train_more = { $said_split }另有 { $n } 条文本与训练集中的几乎相同：只差几个词
said_nearly_repeats = { $said_split }有 { $n } 条文本与前面的几乎重复
said_repeats = { $said_split }有 { $n } 条文本与前面的重复
said_imbalance = 训练集最大的类别（{ $large }，{ $most } 行）是最小类别（{ $small }，{ $least } 行）的 { $times } 倍
said_no_rows = { $n } 个类别没有{ $said_split }数据：{ $names }
said_no_columns = 文件中没有列 { $names }：改读 text 和 label 两列
said_split_unread = 未读取 { $file }：测试集按 data.test 从训练集划出
said_by_order = { $file } 中有 { $n } 个类别名与任务不同（{ $names }）；按任务中的顺序对应
said_all_shared = { $said_few }的 { $n } 条样本全部出现在{ $said_many }中：同一划分被用于两种用途
said_most_shared = { $said_few }的 { $all } 条样本中有 { $n } 条出现在{ $said_many }中：同一划分被用于两种用途
said_shared_with_test = 验证集有 { $n } 条样本同时出现在测试集中
said_merged_spelled = { $n } 个标签与同类的写法不同，已合并：{ $said_listed }
said_spelled_as = “{ $way }”并入“{ $most }”（{ $n }）
said_fields_odd = 第 { $n } 行：有 { $m } 个字段，而首行有 { $width } 个
said_test_weight = 测试集只有 { $n } 行：一个答案变了，宏平均 F1 就变动 { $moved }
said_test_weight_of = 测试集有 { $n } 行，其中“{ $name }”只有 { $m } 行：一个答案变了，宏平均 F1 就变动 { $moved }
said_left_out = 略去了 { $n } 行：{ $said_without }
said_left_out_both = 略去了 { $n } 行：{ $m } 行没有标签，{ $k } 行没有文本
said_without_label = { $m } 行没有标签
said_without_text = { $m } 行没有文本
said_merged_case = { $n } 个标签只是大小写不同，已合并
said_merged_alike = { $n } 个标签只是大小写或形近字母不同，已合并
said_cells_filled_one = { $file } 中有 { $n } 个单元格与上方合并，已取其值
said_cells_filled = { $file } 中有 { $n } 个单元格与上方合并，已取其值
said_ahead = { $file } 大小为 { $size }：读取期间样本存放在 { $place }，最多占用 { $disk }，内存约占 { $memory }
said_rows_taken = 从{ $said_all }中按类别取 { $n } 条：用 --train-rows 可取更多
said_peak = 内存峰值：{ $size }
said_line_no_json = 第 { $n } 行：不是 JSON：{ $why }

## Why an arm is refused, or its trials fail

said_too_large = { $model }（{ $n }M 参数）的{ $said_what }约需 { $need } GB 内存；本机只有 { $there } GB，且没有 GPU
said_full_fine_tuning = 全参数微调
said_even_lora = 微调（即使用 LoRA）
said_embedding = 向量化
said_fine_tuning = 微调
said_asking_work = 选项打分
said_gpu_helps = 请使用 GPU 或更小的模型
said_gpu_server_helps = 请使用 GPU、更小的模型，或用 --endpoint 指定服务器
said_lora_half = 改用 tuning: lora，约需一半
said_speaks = { $model } 支持的语言是{ $languages }，而文本语言是{ $language }；请选择支持“{ $code }”或“{ $other }”的模型
said_classic_needs = { $model } 是经典模型，此策略需要编码器或解码器；请用 { $arm }
said_classic_builds = classic 只构建 { $names }；{ $model } 是预训练模型，请用 linear_head 或 probe
said_no_decoder = { $model } 不是解码器，无法回答提示词；请用 { $other }
said_endpoint_weights = { $model } 由远端服务提供，无法在本机训练；请用 { $other }
said_typed_questions = { $model } 回答有类型的问题，既不思考，也不看例子；请用 { $other }
said_none_answered = { $url }：{ $said_texts }中没有一条得到回答：服务器 { $said_why }
said_options_few = { $url }：服务器每个问题只收 { $n } 个选项，两级也不够 { $classes } 个类别
said_too_many_codes = 类别数 { $n } 超过选项代码的上限 { $most }；请用 { $other }
said_two_letter_codes = 类别数 { $n } 超过两字母代码的上限 { $most }；请用 linear_head 或 probe
said_few_codes = 该模型的分词器只能区分 { $n } 个两字母代码，而任务有 { $classes } 类；请用 linear_head 或 probe
said_llama_missing = 未安装用于训练的 LLaMA-Factory：{ $command }
said_weights_away = 权重（{ $hub }）不在本地缓存中，且无法访问 Hub（{ $said_why }）；可用 --model { $model } 指定本地目录
said_weights_cache_reach = 权重不在缓存中，且无法访问 Hub
said_weights_cache_unasked = 权重不在缓存中，未询问 Hub
said_weights_local = 权重在本地缓存中
said_weights_from_hub = 首次使用时从 Hub 下载权重
said_names_folder = 可用 --model { $model } 指定本地目录
said_names_folder_instead = 可用 --model { $model } 指定本地目录
said_folder_gone = 目录 { $path } 已不存在；请用 --model { $model } 重新指定
said_hub_trouble = 向 { $hub } 请求 { $model } 时{ $said_why }；可用 --model { $name } 指定本地目录
said_hub_status = 向 { $hub } 请求 { $model } 时返回 HTTP 状态码 { $status }；可用 --model { $name } 指定本地目录
said_hub_terms = { $hub } 要求先在 Hub 上同意其条款；之后设置 HF_TOKEN，或用 --model { $model } 指定本地目录
said_no_safetensors = { $hub } 在此版本没有 safetensors 权重；pickle 权重可能执行代码，因此不读取
said_no_answer_within = { $n } 秒内没有响应
said_offline_mode = 已设为离线模式
said_offline_by = 已设置 HF_HUB_OFFLINE
said_out_of_reach = 无法访问 Hub
said_single_too_long = 单次试验约需 { $said_time }，超过预算 { $said_budget }；--force 可保留该方案
said_in_a_row = 连续 { $said_failures }，最近一次：{ $said_reason }
said_three_in_a_row = 连续三次试验失败：{ $said_reason }
said_memory_out = 内存不足
said_oom = 内存不足
said_oom_batch = 批大小为 { $n } 时内存不足（{ $why }）：请减小 batch，或在配方中设置 shrink_batch: true
said_oom_one = 单条文本即内存不足（{ $why }）：请使用 tuning: lora、更小的 cutoff 或更小的模型
said_max_trial = 超过 max_trial_seconds = { $n }，已停止
said_max_silent = 无响应超过 max_silent_seconds = { $n }，已停止
said_killed = 子进程被信号 { $n } 终止
said_killed_memory = 被系统终止，很可能是内存不足
said_template_user = 模型的对话模板中，用户消息不是恰好出现一次
said_template_render = 无法渲染模型的对话模板：{ $why }
said_need_traces = think: distilled 需要思考过程数据，但 { $file } 不存在：请先运行 { $command }，或用 think: prompt
said_no_think_block = 模型的对话模板不能思考：其中没有思考块；请用 { $setting }，或换有思考块的模型
said_no_chat_to_think = 模型的对话模板不能思考：它没有对话模板；请用 { $setting }，或换有思考块的模型
said_think_switch = 模型的对话模板不能思考：开启思考不改变模板的输出；请用 { $setting }，或换有思考块的模型
said_not_head = 该模型无法转换为分类头：{ $said_why }
said_several_tokens = 由多个 token 组成的选项在 lm_head 中没有对应的行
said_head_bias = 其 lm_head 带偏置，而分类头没有
said_server_said = { $url }：服务器{ $said_why }
said_no_model_there = { $url } 没有模型“{ $model }”

## Why an engine is refused

said_no_int8 = 当前 PyTorch 没有适用于此 CPU 的 8 位算子
said_no_arithmetic = 此 CPU 不支持 { $precision } 运算（{ $units }），只能模拟
said_one_precision = 此模型在本机只能以 { $precision } 推理
said_openvino_bf16 = OpenVINO 在此 CPU 上不支持 bfloat16（{ $names }）
said_cant_engine = { $engine } 无法处理此模型（{ $what }）：{ $why }
said_one_text_alone = Server：单条文本就需要 { $time }，而上限为 { $bound }
said_server_note = Server：{ $said_why }
said_bench_endpoint = 每个请求都可能产生费用；加 --endpoints 才会测量
said_bench_again = 已有相同设置的记录：{ $said_n }；--again 可重新测量

## While a study runs

said_timing_arms = 正在为每个方案试运行几步以估计用时……
said_timing = 估计用时
said_step_finals = 决赛
said_step_engines = 推理引擎
said_scoring_finals = 正在测试集上评估每个方案的最佳试验……
said_estimate_most = { $arm }：单次试验约需 { $said_time }，换其他超参数时最多约 { $said_most }
said_estimate = { $arm }：单次试验约需 { $said_time }
said_refused_now = { $arm } 被拒绝：{ $said_reason }
said_retired_now = { $arm } 已退出：{ $said_reason }
said_stays_out = { $arm } 仍不参与：{ $said_reason }
said_tried_again = 重新尝试 { $arm }；此前未参与的原因：{ $said_reason }
said_queued_again = 试验 { $n }（{ $arm }）：{ $said_reason }；已重新排队
said_trial_said = 试验 { $n }（{ $arm }）：{ $said_reason }
said_lost_worker = 试验 { $n }（{ $arm }）的进程已丢失；已重新排队
said_lost_finished = 试验 { $n }（{ $arm }）的进程已丢失，但试验已完成
said_trained_again = { $arm }：重新训练试验 { $n }，种子 { $seed }
said_trained_again_refit = { $arm }：在训练集与验证集上重新训练试验 { $n }，种子 { $seed }
said_no_refit_by_time = 不用验证集训练：测试集是最新的数据，而验证集可能更新
said_no_refit_alone = 不用验证集训练：{ $arm } 的概率有多可信，只有验证集能说明
said_undecided = { $arm }：无法说明它何时独立回答：{ $said_why }
said_not_calibrated = { $said_why }；因此无法校准，也无法与其他方案组合
said_finals_rest = { $said_why }；其决赛依据 { $said_n }
said_nothing_missing = 什么都不缺：每个方案都已训练完毕，测试集未被打开。
said_once = 只训练了一次：第二次约需 { $said_time }，比剩余时间多 { $said_left }
said_once_ruled_out = 只训练了一次：验证集上比最佳低 { $gap }，因此让其他方案先行；第二次约需 { $said_time }，比剩余时间多 { $said_left }
said_search_s_own = 搜索所得的检查点：重新训练约需 { $said_time }，比剩余时间多 { $said_left }
said_combined_rows = { $arm } 与 { $other } 的训练样本不同：不作成员
said_combined_kept = 没有保留 { $arm } 对未见样本的回答
said_combined_no = { $arm }：没有：{ $said_why }
said_combined_cascade = { $arm }：{ $first } 至少有 { $threshold } 的把握时由它回答（测试文本的 { $share }），其余由 { $second } 回答
said_combined_arm = 不能训练“{ $arm }”：它由决赛用其他方案训练好的模型组合而成
said_combined_fix = 写出组成它的方案，并在配方中加 finals: {"{"}combine: true{"}"}；研究已有时运行 `{ $command }`。
said_trained_alone = { $arm }：计时期间有其他进程在运行；已单独重新训练
said_kept_elsewhere = { $arm }：保留的检查点在 { $host } 上；请在那台机器上运行 finals
said_no_test_score = { $said_why }；该方案没有测试分数，其他方案有
said_opened_elsewhere = 本存储中的其他研究已打开过这个测试集 { $n } 次：{ $names }
said_waits_scoring = { $host } 上的进程 { $pid } 正在测试集上评分；等待其结果
said_no_speed = 无法测量推理吞吐：{ $said_why }
said_time_unknown = 剩余时间尚不清楚
said_time_left = 预计还需 { $said_time }
said_exists = 研究“{ $name }”已存在，继续运行。
said_still_missing_on = 还差 { $said_n }；`{ $command }` 可继续搜索。
said_still_missing = 还差 { $said_n }。
said_found_study = 已有研究“{ $name }”。
said_created_study = 已创建研究“{ $name }”。
said_sample_instead = { $said_why }。改用内置样例，研究名为“{ $name }”：其数字与 { $title } 无关。要使用真实数据，请加 --data DIR。

## What commands say

said_stopped = 已停止，未作任何改动。
said_interrupted = 已中断；已完成的部分均已保存。
said_interrupted_go_on = 已中断；一切均已保存。继续运行：{ $command }
said_interrupted_bench = 已中断；已测量的引擎均已保存。用同一命令继续。
said_interrupted_opened = 已中断；测试集已被打开并计数。已完成的训练均已保存。
said_interrupted_closed = 已中断；未评分，测试集保持未打开。
said_interrupted_answers = 已中断；目前的回答在 { $file } 中
said_deleted = 已删除“{ $name }”。
said_files_unknown = 无法确定其文件，如有则予以保留。
said_files_stay = 其文件予以保留，因为它们属于 { $whose }：{ $folder }
said_wrote_to = 已将“{ $name }”写入 { $file }
said_wrote_arm = 已将 { $arm } 写入 { $folder }
said_wrote_answers = 已将 { $arm } 的 { $said_n }写入 { $file }
said_wrote_task = 已写入 { $file }。
said_is_task = { $file } 是有效的任务文件。
said_imported = 已导入“{ $name }”
said_owned = “{ $name }”本来就拥有其文件：{ $folder }
said_owns_now = “{ $name }”现在拥有其文件：{ $folder }
said_where_wanted = 在需要它的机器上运行 { $command }
said_read_then = 检查并修正其中的猜测，然后运行：{ $command }
said_or_command = { $first }，或 { $second }
said_not_shown = 未显示：{ $said_why }
said_no_page = 没有页面：{ $said_why }
said_page_final = 所有研究的试验和决赛均已完成：页面不再变化。
said_verbose_shows = 加 --verbose 重新运行可看到出错位置；请反馈此问题。
said_defect = 程序缺陷：{ $what }
said_removed_left = 已清除异常退出的命令在 { $where } 留下的文件：{ $size }。
said_takes_weights = suite study create TASK --model NAME=PATH 可使用本地目录中的权重
said_loading = 正在加载 { $arm } ……
said_closing = 正在关闭：先答完已接受的请求……
said_serving = 已在 { $address } 提供 { $what } 的推理服务
said_try_curl = 试一试：{ $command }

## Why a trial failed, and what a budget is

said_ensemble_served = 集成至少需要两个不询问服务器的方案
said_ensemble_none = 在各方案都没有见过的样本上，没有其他方案能改进 { $arm }
said_cascade_speeds = 级联至少需要两个测量过速度的方案
said_cascade_none = 没有比最佳方案更快、又能先于它回答的方案
said_cascade_alone = 单用 { $arm } 同样好，没有更快的级联
said_cascade_unsure = { $arm } 要把 { $share } 的文本交给 { $other }：所得太少，不值得再用一个模型
said_combined_worse = 在未参与选择的样本上，它的得分为 { $own }，而单用 { $arm } 为 { $its }
said_combined_few = 至少需要两个保留了对未见样本和测试集的回答的方案
said_combined_once = 其中的 { $arm } 只训练了一次
said_over_budget = 单次试验约需 { $said_time }，超出预算 { $said_budget }；--force 可保留该方案
said_memory_ran_out = 内存不足（{ $why }）；减小批大小、减少 token 或使用 LoRA 可降低需求
said_memory_ran_out_at = 内存不足：{ $why }；减小批大小、减少 token 或使用 LoRA 可降低需求
said_child_code = 子进程以退出码 { $n } 结束，没有结果
said_child_code_log = 子进程以退出码 { $n } 结束，没有结果；日志：{ $file }
said_child_died = 子进程因 { $signal } 终止：内存不足；{ $figures }；日志：{ $file }
said_child_signal = 子进程因 { $signal } 终止；日志：{ $file }
said_no_last_checkpoint = 策略“{ $name }”结束时没有 1.0 处的检查点
said_smaller_batch = 减小批大小、减少 token 或使用 LoRA 可降低需求

## Circumstances, references, notes

said_source_folder = 目录 { $path }
said_source_files = 文件 { $paths }
said_source_file = 文件 { $path }
said_allocation_equal = 均等
said_allocation_adaptive = 自适应
said_sampler_first = { $name }，先随机 { $n } 次，种子 { $seed }
said_pruner_arm = { $name }，在方案内比较
said_pruner_study = { $name }，在研究内比较
said_ours_sample = 本研究使用内置样例
said_its_metric = 其指标为 { $name }
said_test_unstated = 未说明测试样本数
said_train_unstated = 未说明训练样本数
said_tested_on = 测试样本 { $n } 条，本研究为 { $ours } 条
said_trained_on = 训练样本 { $n } 条，本研究为 { $ours } 条
said_offline_query = Offline：一次查询 { $n } 条文本
said_no_verdict = LoadGen 日志中没有判定
said_few_queries = 查询次数不足以估计 p90
said_few_texts = 文本太少（{ $n } 条，至少 { $least } 条），不足以得出吞吐
said_others_busy = 期间其他进程占用了 { $n } 个核
said_asked_as = 与研究中的提问方式相同，无需比较
said_search_early = 搜索提前结束：每秒 { $n } 条已通过，{ $higher }
said_fact_python = Python 版本
said_fact_platform = 操作系统
said_fact_cpu_model = CPU 型号
said_fact_cpu_physical_cores = CPU 物理核数
said_fact_cpu_logical_cores = CPU 逻辑核数
said_fact_cpu_usable = 可用核数
said_fact_cpu_bf16 = CPU 的 bfloat16 指令
said_fact_memory_total = 内存总量
said_fact_memory_usable = 可用内存
said_fact_gpus = GPU
said_fact_cpu = CPU
said_another_version = { $what }：由 suite 的其他版本写入

## Errors that most people meet

said_no_study = 存储中没有研究“{ $name }”
said_no_study_yet = 还没有研究
said_start_with = 请先运行 { $command }
said_go_on_with = 继续运行 { $command }
said_no_finished = “{ $name }”还没有完成的试验
said_no_option = { $command } 没有选项 { $option }
said_no_command = { $command } 没有子命令“{ $name }”
said_mean_see = 您是否想用 { $name }？详见 { $command }。
said_see_help = 详见 { $command }
said_for_example = 例如：{ $command }
said_did_you_mean = 您是否想用 { $name }？
said_mean_available = 您是否想用 { $name }？可用：{ $names }。
said_available = 可用：{ $names }。
said_unknown_language = 未知语言“{ $name }”
said_unknown_format = 未知格式“{ $name }”
said_lang_error = --lang：未知语言“{ $name }”
said_contradict = { $a } 与 { $b } 相互矛盾
said_give_one = 请只给其中一个。
said_file_exists = { $file } 已存在
said_no_file = 文件 { $file } 不存在
said_needs_yes = 在这里删除 { $what } 需要加 --yes
said_no_text = 没有要分类的文本

## suite model check and task check

said_weights_here = 权重：本机可获得
said_weights_why = 权重：{ $said_why }
said_licence_line = 许可：{ $name }
said_no_output = 保存时是 { $kind }：没有输出层（lm_head），也没有与词嵌入绑定的输出层；请用 linear_head 或 probe
said_tokens_rows = 分词器有 { $n } 个词元，而模型的词嵌入只有 { $rows } 行
said_tokens_vectors = 分词器有 { $n } 个词元，而模型有 { $rows } 个向量
said_no_tokenizer_json = 没有 tokenizer.json，model2vec 靠它读取文本
said_no_static_array = '{ $name }' 不是 model2vec 模型的数组
said_no_table = 没有给每个词片一个向量的表 'embeddings'
said_static_reading = { $model } 正在读 { $n } 个词片，每个读一次
said_static_distilled = { $seconds } 秒内读完 { $n } 个词片；每个向量有 { $numbers } 个数，保留了 { $part } 的方差：{ $folder }
said_no_tokenizer = { $folder } 没有分词器：没有 tokenizer.json（或 vocab.txt，或该类模型所用的文件），每个词都会成为未知词
said_encoder_decoder = { $folder } 是带解码器的编码器（{ $kind }）：解码器须先得到开头，这里没有策略会给出
said_no_weights = { $folder } 没有权重
said_pickled_alone = { $folder } 只有 pickle 格式的权重（{ $file }），无论旁边放着什么
said_own_code = { $folder } 要求执行自带的代码（auto_map）
said_kind_of_later = 所装的 transformers { $version } 不认识 '{ $kind }' 这类模型
said_note_line = 备注：{ $text }
said_arm_refused = { $name }：被拒绝：{ $said_why }
said_unpinned_revision = 版本：未固定；main 可能在研究期间变化
said_pinned_revision = 版本：已固定，出处：{ $where }
said_level_note = 提示
said_level_warning = 警告
said_level_error = 错误
said_level_ok = 通过
said_fits_schema = 文件符合格式：{ $said_n }
said_rows_not_here = 数据不在本机：未检查
said_thoughts = { $n } 条思考过程已写入 { $file }

## suite errors, suite distil

said_true_class = 真实类别
said_taken_for = 预测类别
said_arm_word = 方案
said_rows_word = 样本数
said_row_word = 样本
said_most_frequent = 最常见的 { $n } 种混淆（共 { $all } 种）
said_taught_texts = { $arm } 回答了 { $said_texts }
said_taught_own = { $arm } 回答了 { $said_rows }，均为其未见过的样本
said_taught_learnt = 不就训练样本询问 { $arm }：它已学过这些样本，只会重复其标签。
said_taught_test = { $said_texts } 因与测试集或校准集相同或近似而略去
said_taught_known = { $said_texts } 因已在训练集或验证集中而略去
said_taught_labelled = { $said_texts } 因在文件中已有标注而略去
said_taught_repeated = { $said_texts } 因重复而略去
said_taught_blank = { $said_texts } 因为空而略去
said_taught_unanswered = { $said_texts } 因未得到回答而略去
said_taught_refit = 教师也在验证集上训练过：学生在验证集上的分数会偏高，测试集上则不会。
said_taught_file = 它的回答已写入 { $file }
said_taught_progress = 已回答 { $said_texts }
said_taught_lacks = distilled 需要教师的回答，而 { $file } 不存在：请先运行 `{ $command }`
said_taught_gone = 本研究最初采用的教师回答不在此处：{ $file }；请从研究开始之处复制过来
said_taught_others = { $study } 中 { $arm } 的回答属于另一些样本（{ $own }，而非 { $other }）：教过它的样本可能在这里的测试集中；请指定样本相同的研究：suite distil TASK --teacher STUDY
said_asked_of = 已询问 { $n } / { $said_rows }，保留 { $kept } 条
said_asked_of_left = 已询问 { $n } / { $said_rows }，保留 { $kept } 条，预计还需 { $said_time }
said_n_rounds = { $n } 轮
said_n_arms = { $n } 个方案
said_thumb_over = 按经验估计，单次试验在本机约需 { $said_time }，超过 { $said_whole } 的 { $share }；改用 --timeout { $needed } 即可
said_whole_over = 一次试验及其决赛约需 { $said_whole }，而在成本更低的方案之外只剩 { $said_left }；加大 --timeout 可纳入该方案
said_preset_takes = --preset { $preset } 选取 { $said_arms }，其他方案优先
said_would_download = 需要下载权重 { $size } MB，超过 { $most } MB；--download { $allow } 可允许下载
said_download_unknown = 下载量未知；用 --arms 指定可纳入该方案
said_short_no_time = 完成 { $n } / { $said_rounds }：已没有时间再做一轮
said_short_thumb = 完成 { $n } / { $said_rounds }：按经验估计，再做一轮约需 { $said_time }，时间不够
said_short_of = 完成 { $n } / { $said_rounds }：再做一轮约需 { $said_time }，时间不够
said_ranking_after = { $said_rounds }之后，验证集{ $metric }：{ $ranking }
said_at_most = 最多 { $said_time }，含决赛；其中估计用时最多占 { $said_part }。可用 --timeout 更改。
said_first_minute = 第一分钟
said_waits_trial = 正在等待 { $host } 上进程 { $pid } 的试验 { $n }（{ $arm }）
said_waits_lock = 正在等待研究的锁，持有者：{ $who }
said_chosen_for = 为 { $said_time } 选定（--preset { $preset }）：{ $names }
said_downloaded_for = 为此下载：{ $names }
said_rows_left_out_one = { $file } 中有 { $n } 行被略去：{ $said_listed }
said_rows_left_out = { $file } 中有 { $n } 行被略去：{ $said_listed }
said_group_machine = 机器
said_group_places = 目录
said_group_optional = 可选组件
said_group_settings = 设置
said_setting_from = 来自：{ $said_origin }
said_setting_default = 默认
said_setting_storage_tasks = 任务目录
said_setting_device = 设备
said_setting_threads = 线程数
said_setting_price = 价格
said_setting_energy = 能耗
said_setting_lang = 语言
said_settings_word = 设置

## suite doctor

said_doctor_machine = 机器
said_doctor_packages = 软件包
said_doctor_folders_database_hub = 目录、数据库、Hub
said_doctor_optional = 可选组件
said_doctor_present = 已安装
said_doctor_processor = 处理器
said_doctor_memory = 内存
said_doctor_free_disk = 可用磁盘
said_doctor_torch_s_family = torch 系列
said_doctor_working_folder = 工作目录
said_doctor_storage = 存储
said_doctor_cache = 缓存
said_doctor_hub_cache = Hub 缓存
said_doctor_not_asked = 未询问
said_doctor_reachable = 可访问
said_doctor_group = 分组
said_doctor_state = 状态
said_doctor_check = 检查项
said_doctor_finding = 结果
said_doctor_what_would_help = 建议
said_doctor_runs = 可运行
said_doctor_refused = 被拒绝
said_doctor_no_nvidia_gpu_found = 未发现 NVIDIA GPU
said_doctor_everything_runs_on_the_cpu = 一切都在 CPU 上运行；base 规模的编码器和解码器会很慢。
said_doctor_on_the_gpu = 由 GPU 支持
said_doctor_float_is_used = 改用 float32。
said_doctor_the_cpu_has_no_bfloat = 此 CPU 没有 bfloat16 指令
said_doctor_nothing_can_be_downloaded_name = 无法下载任何内容；请用 HF_HOME 指定其他目录。
said_doctor_tasks_work_with_data_dir = 任务可用 --data DIR，模型可用 --model NAME=PATH，或使用本地缓存。
said_doctor_all_packages = 软件包
said_doctor_cores = { $cpu }，可用 { $said_cores }
said_doctor_bounds = { $n } 个均已安装且版本符合要求
said_doctor_free = 工作目录可用 { $n } GB
said_doctor_on_cpu = 由 CPU 支持（{ $flags }）
said_doctor_there = { $file }（尚未建立）
said_doctor_cache_held = { $folder }：已存 token 和向量 { $held } GB，上限 { $most } GB
said_doctor_unwritable = { $folder } 无法写入：{ $why }
said_doctor_out_of_reach = 无法访问：{ $said_why }
said_doctor_not_installed = 未安装（仅用于 { $purpose }）

## 数据文件是怎样读取的

said_draft_rows = { $file }：{ $n } 行，{ $said_found }
said_draft_text = 文本列：{ $names }（{ $said_why }）
said_draft_label = 标签列：{ $names }（{ $said_why }）
said_draft_id = 编号列：{ $names }（{ $said_why }）
said_draft_group = 分组列：{ $names }（{ $said_why }）
said_draft_time = 时间列：{ $names }（{ $said_why }）
said_why_option = 由 { $option } 指定
said_why_joined = 拼接为一段文本
said_why_called = 按列名判断
said_why_called_length = 按列名判断，平均 { $said_lengths }
said_why_longest = 文本最长，平均 { $said_lengths }
said_why_though = 按列名判断，但{ $said_oddity }
said_why_unique = 按列名判断，且各行取值互不相同
said_why_kept = 会保留在输出中
said_lengths_and = { $n } 和 { $said_rest }
said_n_characters = { $n } 个字符
said_different_values = { $said_rows }中有 { $n } 个不同取值
said_odd_nested = 取值是列表或对象
said_odd_dates = 取值是日期
said_odd_numbers = 取值是数字
said_odd_addresses = 取值是网址或邮箱
said_odd_none = { $n } 行中有 { $said_rows }为空
said_odd_same = { $said_rows }的取值都相同
said_odd_different = 有 { $n } 个不同取值
said_draft_also = 另一列文本，未读取：{ $name }（可用 --text 加入）
said_draft_time_unused = 未使用：--time { $name }（日期列：最新的行会成为测试集）
said_draft_group_unused = 未使用：--group { $name }（{ $said_values }，平均每个 { $said_rows }：同一取值的行会留在同一侧）
said_n_values = { $n } 个取值
said_draft_classes_more = { $n } 个类别：{ $names }，……最少的有 { $least } 行
said_draft_classes = { $n } 个类别：{ $names }
said_draft_doubtful = { $name } 在这里是一个类别：如果本意是没有标签，请把单元格留空
said_draft_doubtful_some = { $names } 在这里都是类别：如果本意是没有标签，请把单元格留空
said_draft_not_read = 未读取：{ $names }
said_draft_split_unread = 未读取 { $file }：测试集从训练集划出
said_draft_dropped = 略去了 { $n } 行没有文本或标签的数据
said_found_csv = CSV，以{ $said_mark }分隔，{ $said_encoding }
said_found_csv_escaped = CSV，以{ $said_mark }分隔，引号转义为 { $mark }，{ $said_encoding }
said_found_csv_literal = CSV，以{ $said_mark }分隔，引号属于文本本身，{ $said_encoding }
said_mark_tabs = 制表符
said_encoding_bom = { $encoding }（带 BOM）
said_encoding_guessed = { $said_encoding }（推测）
said_found_fasttext = fastText 格式的文本行
said_found_workbook = Excel 工作簿
said_found_sheet = Excel 工作簿，工作表“{ $name }”
said_found_sheet_of = Excel 工作簿，工作表“{ $name }”，未读取 { $names }
said_found_folders = 每个类别一个文本目录
said_found_folders_not = 每个类别一个文本目录，未读取 { $names }
said_read_as = 按 { $file } 的说明读取数据
said_read_as_changed = 按 { $file } 的说明读取数据（该文件已手工修改）
said_wrote_how = 已写入 { $file }：此后按它读取数据
said_parts = { $said_rows }用于训练，{ $validation } 行用于验证，{ $test } 行用于测试
said_then_mend = 通读一遍，改正推测有误之处，然后运行：{ $command }
said_which_label = { $file }：哪一列是标签？
said_one_class = 它们是否各为同一个类别？
said_number_or_name = 序号或列名
said_none_of_these = { $answer }：不在其中
said_checked_rows = { $said_source }：训练 { $train } 行，验证 { $validation } 行，{ $said_test }；数据指纹 { $fingerprint }
said_will_be_cut = 按字符数估计，约 { $share } % 的训练文本（{ $count } 条）超过 max_tokens（{ $most }），会被截断
said_licence_open = data.licence 尚未填写
said_called_otherwise = 文件名为 { $file }，任务名为“{ $task }”：改名为 { $name } 后才能按名称找到
said_hub_unpinned = data.hub：{ $id } 未锁定版本（revision 为 main），数据可能在研究期间变化；请填写 40 位十六进制的提交号
said_revision_unsaid = data.hub：revision_from 没有说明版本号的出处
said_no_prompt = 任务没有该语言（{ $code }）的提示词：zero_shot 和 sft 使用通用问法
said_no_prompt_english = 任务没有该语言（{ $code }）的提示词：zero_shot 和 sft 使用英文的通用问法
said_folder_not_here = 目录 { $path } 不存在：请用 --data 指定
said_file_not_here = 文件 { $path } 不存在：请用 --data 指定

## 数据文件为什么被拒绝

said_case_alone = 有些标签只是大小写不同：{ $said_groups }
said_case_two = “{ $one }”（{ $n } 行）与{ $said_rest }
said_case_one = “{ $one }”（{ $n } 行）
said_case_fix = --merge-case 将其合并为一类，--keep-case 保留为不同类别
said_case_fix_task = 在任务文件中：data: { $reading }，或 keep
said_label_unclear = 有 { $n } 列都可能是标签：{ $names }
said_label_name_it = 请指定：{ $one } 或 { $other }
said_no_texts = 没有一列是文本
said_no_classes = 没有一列像是类别
said_one_column = 只有一列：{ $name }
said_one_row = 只有一行数据
said_two_classes_fix = 请提供至少两个类别的数据，每类多行
said_label_one_value = “{ $name }”在全部 { $said_rows }中只有一个取值：{ $value }
said_label_empty = “{ $name }”每一行都为空
said_label_lists = “{ $name }”是列表或对象，而不是每行一个类别
said_label_all_different = “{ $name }”的取值与行数一样多：{ $n }
said_label_too_many = “{ $name }”有 { $n } 个不同取值
said_label_too_many_most = “{ $name }”有 { $n } 个不同取值；类别最多 { $most } 个
said_label_dates = “{ $name }”的取值是日期
said_label_measured = “{ $name }”的取值是测量数值（{ $n } 个不同取值）
said_label_another = 请用 --label 指定另一列
said_label_needs_two = 分类器至少需要两个类别的数据
said_label_none_held_out = 每个类别只有一行，无法划出测试集
said_column_missing = 没有 { $option } 指定的列“{ $name }”
said_text_twice = --text 两次指定了同一列
said_text_and_label = “{ $name }”同时被指定为文本和标签
said_no_such_file = 文件或目录不存在
said_give_the_file = 请给出数据文件
said_file_empty = 文件为空
said_never_closed = 引号打开后没有关闭
said_closed_late = 此处打开的引号到第 { $n } 行才关闭
said_skip_fix = --skip-bad-rows 会略去这类行并计数
said_lfs = 这是 Git LFS 的指针文件，而不是数据本身
said_unknown_kind = 不认识的文件类型
said_at_line = { $file } 第 { $n } 行
said_at_row = { $file } 第 { $n } 条数据
said_rows_from = 支持的数据格式：{ $formats }
said_quote_twice = 引号内的文本中若有引号，请写成两个引号：""
said_asked_in_english = { $names }：以英语提问，因为任务没有{ $language }的 prompt
said_word_one = 可在任务文件中用 { $prompt } 给出

## Languages

said_several_languages = 多种语言
said_no_language = 无法判断的语言

## A learning curve

said_next_of = 从 { $said_texts }中挑出 { $n } 条待标注，依据 { $arm } 的回答
said_curve_sizes = 训练样本的规模，每个都是一项研究：{ $sizes }（{ $name } … { $last }）
said_curve_searched = 在这些规模搜索超参数：{ $sizes }；其余规模沿用最接近者的
said_curve_draws = 除最大规模外，每个规模抽取 { $n } 次
said_curve_floor = { $said_rows }：{ $said_classes }按比例一条也没有，各取一条
said_curve_part = 学习曲线第 { $n } 部分（共 { $m } 部分）：{ $name }
said_curve_no_time = 学习曲线的其余部分没有时间了：再执行同一条命令即可继续
said_curve_chooses = 学习曲线在每个规模比较相同的方案，而 { $name } 按样本数选择方案
said_curve_few = 规模为 { $size }，而只有{ $said_rows }
said_curve_one = 学习曲线只有一个规模：{ $size }，共{ $said_rows }
said_curve_recipe_fix = 请指定列明方案的配方：--recipe curve
said_curve_sizes_many = 学习曲线有 { $n } 个规模
said_curve_most = 最多可指定 { $n } 个
said_curve_classes = 规模只有{ $said_rows }，而类别有{ $said_classes }
said_curve_classes_fix = 最小的规模须每类至少一条：至少 { $n } 条
said_curve_few_fix = 规模最大为 { $n }
said_curve_one_fix = 请指定多个规模：--sizes { $sizes }；得出规律需要四个
said_curve_no_number = --sizes：“{ $name }”不是训练样本数
said_curve_no_number_fix = 请写 2 以上的数，以逗号分隔：--sizes 100,1000,10000
said_curve_other = “{ $name }”已存在，但不是“{ $study }”的这一部分
said_next_or_replay = suite data next 从文件中挑选文本，或在已标注样本上重演
said_next_or_replay_fix = 请给出 --unlabelled FILE，或 --replay
said_next_test = 这{ $said_texts }中有 { $n } 条在该研究的测试集里：一旦用于训练，测试便毫无意义（在文件中：{ $places }）
said_next_test_fix = 请把它们从文件中去掉
said_next_none = { $said_texts }中没有可标注的
said_next_empty = 其中没有文本
said_next_empty_fix = 请给出没有标注的文本
said_next_none_fix = 请给出在研究和文件中都还没有标注的文本
said_replay_few = { $said_training }不足以在{ $said_rounds }中挑选{ $said_rows }
said_replay_few_fix = 至多取其一半：--rows { $n }

## Several splits

said_folds_of = { $n } 折，合起来测试每一行
said_splits_of = { $n } 次划分，每次另取测试集
said_splits_pooled = 测试集是给定的：第一个划分照用它，其余各划分把训练集与测试集合在一起，重新抽取同样多行的测试集。
said_splits_named = { $said_splits }，每次单独搜索：{ $names }
said_split_begins = 第 { $n } 次划分（共 { $m } 次）：{ $name }
said_no_time_for_one = 剩下的 { $n } 次划分没有时间了：再执行同一条命令即可继续
said_no_time_for = 剩下的 { $n } 次划分没有时间了：再执行同一条命令即可继续
said_few_rows = 数据不足 { $n } 行，一个测试集说明不了多少：{ $said_splits }，每次单独搜索
said_few_rows_no_time = 数据不足 { $n } 行，一个测试集说明不了多少：用 --splits { $m } 可测试每一行，约需再用 { $said_time }
said_splits_out = --splits 1 则不这样做
said_round_of_engines = 第 { $n } 轮（共 { $rounds } 轮），每轮重新打开各引擎 …
said_measuring_speeds = 正在分 { $n } 轮测量速度……
said_speeds_cut_short = { $n } 轮中只完成 { $said_rounds }，时间已用完：速度没有置信区间
said_speed_of_rounds = { $said_rounds }的中位数，每轮都重新加载模型
said_rounds_disturbed = { $said_rounds }受到其他进程干扰

## Under a stranger's hand

said_stress_progress = { $arm }：已回答 { $n }，共 { $said_texts }
said_stress_left_out = 未做：{ $change }：{ $said }
said_stress_not_chinese = 文本不是中文
said_stress_installs = 未安装 { $modules }：{ $commands }
said_stress_recorded = 用这些行已有记录：{ $said_arms }；--again 重新提问
said_stress_asks = { $arm } 就 { $said_texts }询问 { $server }
said_stress_not_here = 未提问：{ $arm } 的模型在 { $host } 上，不在 { $folder } 中
said_stress_failed = 未提问：{ $arm }：{ $said }
said_stress_not_all = { $n } 个方案中的{ $said_arms }无法提问：{ $said_why }
said_stress_asks_again = 其余方案的回答已保存；{ $command } 会再问这些方案。
said_stress_nowhere = 未提问：{ $arm } 的模型没有保存
said_stress_no_finals = “{ $study }”没有决赛：只提问决赛的模型
said_stress_no_arm = 决赛中没有方案“{ $arm }”

## How hard rows are

said_difficulty_progress = { $judge }：已判定 { $n }，共 { $said_rows }
said_difficulty_answers = 由 { $arm } 判定 { $said_rows }
said_difficulty_parts = 由 { $arm } 的 { $said_trainings }判定 { $said_rows }，每次留出其中一部分
said_difficulty_written = 每行有多难写在 { $file }
said_difficulty_few = train_subset：{ $names } 判定过的行不足 3 行，每个部分都含其中一行
said_difficulty_nobody = train_subset 按 { $by } 取行，而它们尚未判定
said_difficulty_not_so = train_subset 按 { $by } 取行；它们是按 { $others } 判定的
said_difficulty_no_number = { $judges } 对 { $said_rows }的判定不是数：什么也没有写入
said_difficulty_there = 文件里已有 { $judges } 判定过的 { $said_rows }，其中 { $shared } 行属于这 { $n } 行；一个文件只容一批行
said_difficulty_suspects_none = 其中 { $said_rows }连同所给类别都不在这 { $n } 行之中：这是别的行的可疑标签
said_difficulty_others = 判定过的 { $said_rows }中有 { $n } 行不在 { $train } 行训练数据之中：判定的是别的行
## suite data

said_n_suspects = { $n } 条可疑标注
said_suspects_few = 训练集与验证集只有 { $n } 行，太少，无法区分标注错误与难判的文本
said_suspects_read = 至少给出 { $n } 行；这样少的数据不如逐条阅读：人工更可靠也更快
said_suspects_one_class = 不少于 { $n } 行的类别只有 { $said_classes }：没有其他标注可供对照
said_suspects_two_classes = 至少有两个类别各给出 { $n } 行
said_cannot_be_cut = { $said_rows } 无法划分成无论留出哪一份都还有两个类别可学的若干份
said_more_of_each = 请为每个类别给出更多数据
said_one_model = 只有 { $model } 一个模型，无法区分它自己的盲点与标注错误
said_two_models = 至少指定两个模型的方案，例如 { $arms }
said_arm_not_asked = 无法询问 { $arm }：{ $said_why }
said_an_arm_not_asked = 有方案无法询问：
said_asking_arms = 正在询问 { $arms }：各 { $said_trainings }，共 { $said_rows }
said_training_without = 正在去掉 { $said_suspects }后重新训练
said_wrote_suspects = 已列入 { $file }：{ $said_suspects }
said_more_suspects = 更多：--limit N；全部：--out suspects.csv
said_other_rows = { $option } 指定的数据与 { $file } 不同
said_no_finals_yet = “{ $study }”还没有决赛：尚未回答测试集
said_score_winners = 请为胜者评分：{ $command }
said_sample_no_column = 内置样例除文本与标签外没有其他列
said_leave_slice = 请去掉 --slice
said_other_fingerprint = 此处的测试数据不是该研究的数据：摘要 { $own }，存储的为 { $stored }
said_restore_or_data = 请恢复数据，或用 --data 指定
