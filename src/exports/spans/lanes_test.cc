#include "exports/spans/lanes.h"

#include <algorithm>
#include <map>
#include <random>

#include "exports/spans/labels.h"
#include "exports/spans/testing.h"

namespace llama::exports {
namespace {

// "name@track" of all spans, in the order of the selection.
std::vector<std::string> Layout(const std::string& lines) {
  const auto columns = traces::LoadText(lines);
  const Selection selection = SelectAll(columns);
  const Lanes lanes(selection);
  std::vector<std::string> layout;
  for (size_t i = 0; i < selection.rows().size(); ++i) {
    const std::string name(columns.text(columns.name()[selection.rows()[i]]));
    const uint32_t track = lanes.track(i);
    layout.push_back(name + "@" +
                     (track == Lanes::kNone ? "none" : TrackName(lanes.tracks()[track])));
  }
  return layout;
}

using Names = std::vector<std::string>;

TEST(Lanes, PutJobsOnAsFewTracksAsRanAtATime) {
  //  a [=========]           job 1
  //  b     [=========]       job 2
  //  c           [=======]   job 1, as a is over
  //  d             [====]    job 3
  EXPECT_EQ(Layout(SpanText(1, 1, 0, "a", 0, 10) + SpanText(2, 1, 0, "b", 4, 10) +
                   SpanText(3, 1, 0, "c", 10, 8) + SpanText(4, 1, 0, "d", 12, 5)),
            (Names{"a@job 1", "b@job 2", "c@job 1", "d@job 3"}));
}

TEST(Lanes, NestWhatNestsAndPutWhatOverlapsBeside) {
  //  root [====================]   job 1
  //    x    [======]               job 1, in root
  //      z    [==]                 job 1, in x
  //    y        [=======]          overlapping 1: x is open, and not its parent
  //      v        [==]             overlapping 1, in y
  //    w          [==]             overlapping 2: x and y are open
  //    u             [============]  overlapping 2: free again, and it reaches beyond root
  EXPECT_EQ(Layout(SpanText(1, 1, 0, "root", 0, 20) + SpanText(1, 2, 1, "x", 2, 8) +
                   SpanText(1, 3, 2, "z", 4, 3) + SpanText(1, 4, 1, "y", 6, 9) +
                   SpanText(1, 5, 4, "v", 8, 3) + SpanText(1, 6, 1, "w", 8, 3) +
                   SpanText(1, 7, 1, "u", 11, 13)),
            (Names{"root@job 1", "x@job 1", "z@job 1", "y@overlapping 1", "v@overlapping 1",
                   "w@overlapping 2", "u@overlapping 2"}));
}

TEST(Lanes, KeepABuildApartAndItsSamplesOff) {
  EXPECT_EQ(Layout(SmallBuild()), (Names{"build@build", "machine@none", "llamacc@job 1",
                                         "invoke@job 1", "worker@job 1", "write@job 1"}));
}

TEST(Lanes, HoldSpansThatTakeNoTime) {
  // All at the same moment, one in the other.
  EXPECT_EQ(Layout(SpanText(1, 1, 0, "a", 5, 0) + SpanText(1, 2, 1, "b", 5, 0) +
                   SpanText(1, 3, 2, "c", 5, 0) + SpanText(1, 4, 1, "d", 5, 0)),
            (Names{"a@job 1", "b@job 1", "c@job 1", "d@job 1"}));
}

// Whatever the trace: on a track, slices nest, and what is right above one is its parent.
TEST(Lanes, NestInAnyTrace) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    std::string lines;
    for (int trace = 1; trace <= 6; ++trace) {
      const int spans = 1 + below(30);
      for (int span = 1; span <= spans; ++span) {
        lines += SpanText(trace, span, span == 1 ? 0 : 1 + below(span - 1), "s", below(40),
                          below(3) == 0 ? 0 : below(25));
      }
    }
    const auto columns = traces::LoadText(lines);
    const Selection selection = SelectAll(columns);
    const Lanes lanes(selection);
    size_t placed = 0;
    for (uint32_t t = 0; t < lanes.tracks().size(); ++t) {
      std::vector<uint32_t> open;
      for (const uint32_t i : lanes.on_track(t)) {
        const Row row = selection.rows()[i];
        while (!open.empty() && open.back() != lanes.enclosing(i)) {
          EXPECT_LE(columns.end_ns(selection.rows()[open.back()]), columns.start_ns()[row]);
          open.pop_back();
        }
        if (lanes.enclosing(i) == Lanes::kNone) {
          EXPECT_TRUE(open.empty());
        } else {
          ASSERT_FALSE(open.empty());
          EXPECT_EQ(selection.rows()[open.back()], columns.parent()[row]);
          EXPECT_LE(columns.start_ns()[selection.rows()[open.back()]], columns.start_ns()[row]);
          EXPECT_GE(columns.end_ns(selection.rows()[open.back()]), columns.end_ns(row));
        }
        open.push_back(i);
        ++placed;
      }
    }
    EXPECT_EQ(placed, selection.rows().size());
  }
}

}  // namespace
}  // namespace llama::exports
