"""The variants: a rule, a small change that breaks it, and the tests that must see it.

A change replaces one text of one source; a text that is not there exactly once fails the suite, so a variant goes with the
code that it is about. Rules: the stream order and group rules of docs/islands.md, and what a GPU was measured to do.
"""

from dataclasses import dataclass

from programs import CRASHES, FAILS, HANGS


@dataclass(frozen=True)
class Change:
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Case:
    test: str  # as the build calls it
    filter: str
    slow: str = ""  # what takes 2 ms: KERNELS, OUT (copies to the host) or IN

    @property
    def environment(self):
        return {f"STANDIN_SLOW_{self.slow}": "2000"} if self.slow else {}

    def __str__(self):
        return f"{self.test}: {self.filter}{f' (slow {self.slow.lower()})' if self.slow else ''}"


@dataclass(frozen=True)
class Variant:
    name: str
    rule: str
    changes: list
    cases: list  # each must see it,
    caught: tuple  # in one of these ways


WRONG = (FAILS, CRASHES)  # wrong data, or a read of memory that nobody has written

GATE, COPIES, CALL = "src/engine/gate.cc", "src/engine/copy_queue.cc", "src/engine/staged_call.cc"
STAGED, RUN, VISIT = "src/launch/staged.cc", "src/launch/run.cc", "src/base/device.cc"

LATE_RANK = "Mixed.AStreamWaitsForARankThatIsLate"
NULL_STREAM = Case("order, 8 channels", "Order.TheNullStreamMayWaitForALateRank")

# Nothing that lets a parked stream go may need what that stream keeps up.
PARKED = [
    Variant(
        "done_by_a_kernel", "a kernel launched later never starts behind a parked stream",
        [Change(GATE, "    std::atomic_ref<std::uint64_t>(*done_).store(use_, std::memory_order_release);\n",
                "    static const device::Stream own = *runtime_.create_stream();\n"
                '    broken::call("standin_launch_fill32", done_, static_cast<std::uint32_t>(use_), std::size_t{1}, own);\n')],
        [Case("order, 1 channel", "Order.ACallWaitsForTheWorkBeforeItInItsStream")], (HANGS,)),
    Variant(
        "a_mark_behind_device_work", "copies from and to the host go on, work within the device does not",
        [Change(COPIES, "    AMALGAM_TRY(runtime_->write_value(stream_, word_, marked_));\n",
                "    static void* const scratch = *runtime_->allocate(64);\n"
                '    broken::call("cudaMemsetAsync", scratch, 0, std::size_t{64}, stream_);\n'
                "    AMALGAM_TRY(runtime_->write_value(stream_, word_, marked_));\n")],
        [Case("order, 1 channel", "Order.TheNullStreamMayWaitForALateRank")], (HANGS,)),
    Variant(
        "first_launch_in_the_engine", "the first launch of a kernel waits for parked streams",
        [Change(GATE, "void Gate::open() {\n",
                "void Gate::open() {\n"
                "  static const device::Stream own = *runtime_.create_stream();\n"
                "  static void* const scratch = *runtime_.allocate(64);\n"
                '  broken::call("standin_launch_fill32", scratch, 1U, std::size_t{1}, own);\n')],
        [Case("order, 1 channel", "Order.TheNullStreamMayWaitForALateRank")], (HANGS,)),
    Variant(
        "frees_device_memory", "freeing device memory waits for parked streams",
        [Change(CALL, "  CopyQueue& down = stage_->queue->down();\n  for",
                "  CopyQueue& down = stage_->queue->down();\n"
                "  (void)stage_->queue->runtime().release(*stage_->queue->runtime().allocate(64));\n  for")],
        [NULL_STREAM], (HANGS,)),
    Variant(
        "frees_pinned_memory", "freeing pinned memory waits for parked streams",
        [Change(CALL, "  CopyQueue& down = stage_->queue->down();\n  for",
                "  CopyQueue& down = stage_->queue->down();\n"
                "  (void)stage_->queue->runtime().release_pinned(*stage_->queue->runtime().allocate_pinned(64));\n  for")],
        [NULL_STREAM], (HANGS,)),
    Variant(
        "parks_many_streams", "a device takes 64 parked streams with a kernel behind; then whoever enqueues is blocked",
        [Change(GATE, "  if (!parks()) return runtime_.wait_value(stream, done_, use_);\n",
                "  for (int i = 0; i < 64; ++i) {\n"
                "    const device::Stream own = *runtime_.create_stream();\n"
                "    (void)runtime_.wait_value(own, done_, use_);\n"
                '    broken::call("standin_launch_fill32", *runtime_.allocate_pinned(64), 1U, std::size_t{1}, own);\n'
                "  }\n"
                "  if (!parks()) return runtime_.wait_value(stream, done_, use_);\n")],
        [NULL_STREAM], (HANGS,)),
    Variant(
        "copies_on_the_null_stream", "our copies are not ordered with the user's streams",
        [Change(COPIES, "return CopyQueue(runtime, *stream, word);", "return CopyQueue(runtime, nullptr, word);")],
        [NULL_STREAM], (HANGS,)),
    Variant(
        "streams_in_the_null_streams_order", "our streams are not ordered with the null stream",
        [Change("plugins/device/cuda_shaped/runtime.cc", "static_cast<unsigned>(table_.stream_non_blocking)", "0U")],
        [NULL_STREAM], (HANGS,)),
    Variant(
        "abort_leaves_streams_parked", "an abort lets parked streams go",
        [Change(STAGED, "    gate->open();\n", "    if (completed) gate->open();\n")],
        [Case("mixed, nvidia, 8 channels", "Mixed.AnAbortLetsParkedStreamsGo")], (HANGS,)),
]

# Where the stream waits by a host function.
HOST_FUNCTIONS = [
    Variant(
        "host_function_calls_the_runtime", "a host function may not call the runtime",
        [Change(GATE, "  self.passed_.store(use, std::memory_order_release);\n",
                "  (void)self.runtime_.current_device();\n  self.passed_.store(use, std::memory_order_release);\n")],
        [Case("order, host functions", "Order.TheNullStreamMayWaitForALateRank")], (CRASHES,)),
    Variant(
        "host_functions_unchained", "at most one host function of a device parks, in the order of issue",
        [Change(GATE, "  AMALGAM_TRY(runtime_.wait_event(stream, after));\n", "")],
        [Case("order, host functions", "Order.AHostFunctionOfTheUsersIsNotKeptUp")], (HANGS,)),
    Variant(
        "ready_by_a_host_function", "ready is never a host function",
        [Change(GATE,
                "  AMALGAM_TRY(event_ != nullptr ? runtime_.record(event_, stream) : runtime_.write_value(stream, ready_, use_));\n",
                "  const auto come = [](void* gate) {\n"
                "    auto& self = *static_cast<Gate*>(gate);\n"
                "    std::atomic_ref<std::uint64_t>(*self.ready_).store(self.use_, std::memory_order_release);\n"
                "  };\n"
                "  AMALGAM_TRY(runtime_.call_host(stream, come, this));\n"),
         Change(GATE, "  if (event_ != nullptr) return runtime_.done(event_);\n", "")],
        [Case("order, host functions", "Order.ACallMayEndWhileAnotherCommunicatorsWaits")], (HANGS,)),
]

# What the streams' order promises.
ORDER = [
    Variant(
        "ready_is_not_awaited", "a call begins when its stream has come to it",
        [Change("src/engine/staged_track.cc", "    if (!*ready) return Progress::kIdle;\n", "")],
        [Case(f"order, {runtime}", "Order.ACallWaitsForTheWorkBeforeItInItsStream") for runtime in ("8 channels", "host functions")],
        WRONG),
    Variant(
        "ready_on_another_stream", "ready is marked on the user's stream",
        [Change(GATE, "runtime_.write_value(stream, ready_, use_));", "runtime_.write_value(nullptr, ready_, use_));")],
        [Case("order, 8 channels", "Order.ACallWaitsForTheWorkBeforeItInItsStream")], WRONG),
    Variant(
        "the_stream_does_not_wait", "what is behind a call in its stream comes after its result",
        [Change(GATE, "if (!parks()) return runtime_.wait_value(stream, done_, use_);", "if (!parks()) return {};")],
        [Case("mixed, nvidia, 8 channels", LATE_RANK)], WRONG),
    Variant(
        "a_gate_stays_open", "every use of a gate has a value of its own",
        [Change(GATE, "if (!parks()) return runtime_.wait_value(stream, done_, use_);",
                "if (!parks()) return runtime_.wait_value(stream, done_, 1);")],
        [Case("order, 8 channels", "Order.EveryCallOfAStreamWaitsAnew")], WRONG),
    Variant(
        "done_before_the_copy", "done comes behind the last copy",
        [Change(CALL, "    if (!*there) break;\n", "")],
        [Case("mixed, nvidia, 8 channels", "Mixed.InPlace", slow="IN")], WRONG),
    Variant(
        "waits_on_the_host", "a call returns when it is enqueued",
        [Change(STAGED, "    if (first.ok()) queue.release_gate(gate);",
                "    if (first.ok()) first = queue.runtime().synchronize(stream_of(stream));\n"
                "    if (first.ok()) queue.release_gate(gate);")],
        [Case("mixed, nvidia, 8 channels", LATE_RANK)], (HANGS,)),
    Variant(
        "a_call_overtakes", "a communicator executes in the order of issue, whatever the streams",
        [Change("src/engine/worker.cc", "if (!owner_busy) first.push_back(job);", "first.push_back(job);")],
        [Case("order, 8 channels", "Order.ASecondCallDoesNotOvertakeTheFirst")], (FAILS, CRASHES, HANGS)),
    Variant(
        "makes_an_event_in_each_call", "what a call needs is made with the communicator",
        [Change(CALL, "  if (stage == nullptr) return;\n",
                "  if (stage == nullptr) return;\n  (void)stage->queue->runtime().create_event();\n")],
        [Case("order, 8 channels", "Order.ARepeatedCallMakesNothing")], (FAILS,)),
]

# What is the caller's.
CALLER = [
    Variant(
        "device_not_restored", "the caller's device stays current",
        [Change(VISIT, "  if (device_before_ >= 0) (void)runtime_.set_device(device_before_);\n", "")],
        [Case("order, 8 channels", "Order.TheCallersDeviceStaysCurrent")], (FAILS,)),
    Variant(
        "device_not_set", "a communicator's null stream is that of its device",
        [Change(VISIT, "  status_ = runtime.set_device(device);\n", "")],
        [Case("order, 8 channels", "Order.TheNullStreamIsTheCommunicatorsDevices")], WRONG),
    Variant(
        "default_capture_mode", "our calls do not end another thread's capture",
        [Change("src/engine/device_queue.cc", "exchange_capture_mode(device::Runtime::kRelaxedCapture)", "exchange_capture_mode(0)")],
        [Case("order, no values", "Order.AnotherThreadMayCaptureMeanwhile")], (FAILS,)),
    Variant(
        "host_reads_device_memory", "the CPU does not touch device memory",
        [Change(CALL, "std::memcpy(piece.request.scalar.data(), stage_->base, piece.request.scalar.size());",
                "std::memcpy(piece.request.scalar.data(), call_.scalar_at, piece.request.scalar.size());")],
        [Case("mixed, nvidia, 8 channels", "Mixed.AScalarInDeviceMemoryIsReadWhenTheOperationRuns")], (CRASHES,)),
    Variant(
        "scalar_read_late", "an immediate scalar is captured when its operation is made",
        [Change("src/launch/operations.cc", ".read_from = when == Scalar::kAtUse ? scalar : nullptr", ".read_from = scalar")],
        [Case("delegate, nvidia", "Delegate.AUserOperationMayBeDestroyedBeforeItsGroupEnds")], WRONG),
]

# Staging memory.
STAGING = [
    Variant(
        "a_slot_reused_too_early", "a slot is used again when its way down is done",
        [Change(CALL, "sent_ < landed_ + stage_->slots;", "sent_ < worked_ + stage_->slots;")],
        [Case("order, 8 channels", "Order.APieceDoesNotTakeAnothersSlot", slow="IN")], (FAILS,)),
    Variant(
        "up_copy_not_awaited", "the host reads a slot when its way up is done",
        [Change(CALL, "    if (!there || !*there) return there;\n", "    if (!there) return there;\n")],
        [Case("mixed, nvidia, 8 channels", "Mixed.InPlace", slow="OUT")], WRONG),
    Variant(
        "answers_from_another_piece", "a piece comes down from its own slot",
        [Change(CALL, "down.copy(copy.user, stage_->slot(worked_)", "down.copy(copy.user, stage_->slot(0)")],
        [Case("order, 8 channels", "Order.APieceDoesNotTakeAnothersSlot")], (FAILS,)),
    Variant(
        "messages_in_the_order_of_calls", "messages hold their stages in an order without a circle",
        [Change(STAGED, "    return distance(communicator, a) < distance(communicator, b);\n", "    return false;\n")],
        [Case("order, 8 channels", "Order.MessagesWhoseOrdersWouldGoInACircle")], (HANGS,)),
]

# Groups, and the vendor's library.
GROUPS = [
    Variant(
        "communicators_in_the_order_of_calls", "all ranks go through their communicators in one order",
        [Change(STAGED, "return a.communicator->id() < b.communicator->id();", "return false && a.communicator->id() < b.communicator->id();")],
        [Case("islands, 8 channels", "Islands.TwoCommunicatorsInOppositeOrdersInAGroup")], (HANGS,)),
    Variant(
        "vendors_group_in_the_order_of_calls", "a vendor's calls go into a stream before what waits in it",
        [Change(RUN, "    issued = issue_group(work);\n",
                "    if (work.front().communicator->delegate() != nullptr) issued = issue_group(work);\n"),
         Change(RUN, "    AMALGAM_TRY(run_on_devices(std::span(communicators.begin(), first), work));\n",
                "    AMALGAM_TRY(run_on_devices(std::span(communicators.begin(), first), work));\n"
                "    if (work.front().communicator->delegate() == nullptr) issued = issue_group(work);\n")],
        [Case("delegate, nvidia", "Delegate.AGroupWithAMixedCommunicatorInAnyOrder")], (HANGS,)),
    Variant(
        "vendor_on_another_stream", "a vendor's kernels go into the user's stream",
        [Change("plugins/island/nccl_shaped/island.cc", "  void* stream = const_cast<void*>(r.stream);\n",
                "  void* stream = nullptr;\n")],
        [Case("delegate, nvidia", "Delegate.TheVendorsWorkIsInTheCallersStream")], WRONG),
    Variant(
        "vendor_without_a_group", "a group is one group of the vendor's",
        [Change("src/launch/delegate.cc", "  AMALGAM_TRY(library->group_start());\n  Status first;\n", "  Status first;\n"),
         Change("src/launch/delegate.cc", "Status ended = library->group_end();", "Status ended;")],
        [Case("delegate, nvidia", "Delegate.MessagesInAGroupInAnyOrderAndToOneself")], (HANGS,)),
]

ALL = PARKED + HOST_FUNCTIONS + ORDER + CALLER + STAGING + GROUPS
