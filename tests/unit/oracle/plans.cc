#include "unit/oracle/plans.h"

namespace oracle {
namespace {

constexpr std::string_view kDirect = R"(plan allreduce.direct
collective allreduce
ranks $
order chunk
slice $
window 2
credits 0
accumulate wide
buffer in user cut N
buffer out user cut N
buffer land scratch N like out[r]
stage tx s=1..N-1 channel 0 send in[(r+s)%N] -> (r+s)%N
stage rx s=1..N-1 channel 0 recv land[(r-s)%N] <- (r-s)%N after sum[k-W]
stage sum sum out[r] = in[r] + land[*] finish after rx[*]
stage tx2 s=1..N-1 channel 1 send out[r] -> (r+s)%N after sum
stage rx2 s=1..N-1 channel 1 recv out[(r-s)%N] <- (r-s)%N after tx[N-s]
end
)";

// Every part goes round twice: folded on the first round, handed on finished on the second.
constexpr std::string_view kRing = R"(plan allreduce.ring
collective allreduce
ranks $
order step
slice $
window 1
credits 1
accumulate hop
buffer in user cut N
buffer out user cut N
stage one when N==1 copy out = in finish
stage own when N>1 channel 0 send in[r] -> (r+1)%N
stage first when N>2 channel 0 reduce out[(r-1)%N] = in[(r-1)%N] + recv <- (r-1)%N
stage fwd s=1..N-3 channel 1 send out[(r-s)%N] -> (r+1)%N after first, fold
stage fold s=2..N-2 channel 1 reduce out[(r-s)%N] = in[(r-s)%N] + recv <- (r-1)%N
stage give when N>2 channel 3 send out[(r+2)%N] -> (r+1)%N after first, fold[N-2]
stage last when N>2 channel 3 reduce out[(r+1)%N] = in[(r+1)%N] + recv <- (r-1)%N finish
stage pair when N==2 channel 0 reduce out[(r+1)%N] = in[(r+1)%N] + recv <- (r-1)%N finish
stage tx s=0..N-2 channel 2 send out[(r+1-s)%N] -> (r+1)%N after last, pair, rx[s-1]
stage rx s=0..N-2 channel 2 recv out[(r-s)%N] <- (r-1)%N after own, first, fwd[s], give
end
)";

// Everybody exchanges with r ^ 1, r ^ 2, …: both sides fold the same two values, in the other order.
constexpr std::string_view kDoubling = R"(plan allreduce.doubling
collective allreduce
ranks $
order chunk
slice $
window 2
credits 1
accumulate hop
buffer in user whole
buffer out user whole
buffer acc scratch L+1 like in[0]
stage first copy acc = in after tx[0,k-W], fold[0,k-W], last[k-W]
stage tx s=0..L-1 send acc[s] -> r^(1<<s) after first, fold[s-1]
stage fold s=0..L-1 reduce acc[s+1] = acc[s] + recv <- r^(1<<s) after first, tx[s+1,k-W], last[k-W]
stage last copy out = acc[L] finish after first, fold[*]
end
)";

// A star: everybody sends to rank 0, which folds hop by hop and sends the result back.
constexpr std::string_view kStar = R"(plan allreduce.star
collective allreduce
ranks $
order chunk
slice $
window 2
credits 1
accumulate hop
buffer in user whole
buffer out user whole
stage up when r!=0 send in -> 0
stage one when N==1 copy out = in finish
stage pair when r==0&&N==2 reduce out = in + recv <- 1 finish
stage first when r==0&&N>2 reduce out = in + recv <- 1
stage fold s=2..N-2 when r==0 reduce out = out + recv <- s after first
stage last when r==0&&N>2 reduce out = out + recv <- N-1 finish after first, fold[*]
stage down s=1..N-1 when r==0 channel 1 send out -> s after last, pair
stage get when r!=0 channel 1 recv out <- 0 after up
end
)";

constexpr std::string_view kReduceChain = R"(plan reduce.chain
collective reduce
ranks $
order chunk
slice $
window 2
credits 1
accumulate hop
buffer in user whole
buffer out user whole
buffer tmp scratch 1 like in[0]
stage head when v==N-1&&N>1 send in -> (r-1)%N
stage fold when v>0&&v<N-1 reduce tmp = in + recv <- (r+1)%N after pass[k-W]
stage pass when v>0&&v<N-1 send tmp -> (r-1)%N after fold
stage last when v==0&&N>1 reduce out = in + recv <- (r+1)%N finish
stage one when N==1 copy out = in finish
end
)";

constexpr std::string_view kBroadcastChain = R"(plan broadcast.chain
collective broadcast
ranks $
order chunk
slice $
window 1
credits 1
accumulate hop
buffer in user whole
buffer out user whole
stage own when v==0 copy out = in
stage rx when v>0 recv out <- (r-1)%N
stage tx when v<N-1 send out -> (r+1)%N after rx, own
end
)";

constexpr std::string_view kReduceScatter = R"(plan reducescatter.direct
collective reducescatter
ranks $
order chunk
slice $
window 2
credits 0
accumulate wide
buffer in user blocks N
buffer out user whole
buffer land scratch N like out[0]
stage tx s=1..N-1 send in[(r+s)%N] -> (r+s)%N
stage rx s=1..N-1 recv land[(r-s)%N] <- (r-s)%N after sum[k-W]
stage sum sum out = in[r] + land[*] finish after rx[*]
end
)";

constexpr std::string_view kAllGatherRing = R"(plan allgather.ring
collective allgather
ranks $
order step
slice $
window 1
credits 1
accumulate hop
buffer in user whole
buffer out user blocks N
stage own copy out[r] = in
stage tx s=1..N-1 when s==1 send in -> (r+1)%N
stage fwd s=2..N-1 channel 1 send out[(r-s+1)%N] -> (r+1)%N after rx, more[s-1]
stage rx when N>1 recv out[(r-1)%N] <- (r-1)%N
stage more s=2..N-1 channel 1 recv out[(r-s)%N] <- (r-1)%N
end
)";

constexpr std::string_view kAllToAll = R"(plan alltoall.pairwise
collective alltoall
ranks $
order step
slice $
window 1
credits 0
accumulate hop
buffer in user blocks N
buffer out user blocks N
stage own copy out[r] = in[r]
stage tx s=1..N-1 send in[(r+s)%N] -> (r+s)%N
stage rx s=1..N-1 recv out[(r-s)%N] <- (r-s)%N
end
)";

constexpr std::string_view kAllToAllV = R"(plan alltoallv.pairwise
collective alltoallv
ranks $
order step
slice $
window 1
credits 0
accumulate hop
buffer in user vector N
buffer out user vector N
stage own copy out[r] = in[r]
stage tx s=1..N-1 send in[(r+s)%N] -> (r+s)%N
stage rx s=1..N-1 recv out[(r-s)%N] <- (r-s)%N
end
)";

constexpr std::string_view kGather = R"(plan gather.direct
collective gather
ranks $
order step
slice $
window 1
credits 0
accumulate hop
buffer in user whole
buffer out user blocks N
stage own when v==0 copy out[r] = in
stage tx when v!=0 send in -> root
stage rx s=1..N-1 when v==0 recv out[(r+s)%N] <- (r+s)%N
end
)";

constexpr std::string_view kScatter = R"(plan scatter.direct
collective scatter
ranks $
order step
slice $
window 1
credits 0
accumulate hop
buffer in user blocks N
buffer out user whole
stage own when v==0 copy out = in[r]
stage tx s=1..N-1 when v==0 send in[(r+s)%N] -> (r+s)%N
stage rx when v!=0 recv out <- root
end
)";

}  // namespace

const std::vector<Sample>& samples() {
  static const auto* const all = new std::vector<Sample>{
      {"direct", kDirect},
      {"ring", kRing},
      {"doubling", kDoubling, true, true},
      {"star", kStar},
      {"reduce chain", kReduceChain},
      {"broadcast chain", kBroadcastChain},
      {"reducescatter direct", kReduceScatter},
      {"allgather ring", kAllGatherRing},
      {"alltoall pairwise", kAllToAll, false},
      {"alltoallv pairwise", kAllToAllV, false},
      {"gather direct", kGather},
      {"scatter direct", kScatter},
  };
  return *all;
}

std::string with(std::string_view text, int ranks, int slice_bytes) {
  std::string filled(text);
  filled.replace(filled.find('$'), 1, std::to_string(ranks));
  filled.replace(filled.find('$'), 1, std::to_string(slice_bytes));
  return filled;
}

}  // namespace oracle
