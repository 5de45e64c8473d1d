#include "sql/functions.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/text/json.h"
#include "traces/columns/histogram.h"
#include "traces/columns/percentile.h"

namespace llama::sql {
namespace {

using Integers = std::vector<int64_t>;

// Arrays that groups before have used: a query over many groups would else get memory from the
// system again and again. One a connection.
class Arrays {
 public:
  Integers Take() {
    if (free_.empty()) return {};
    Integers array = std::move(free_.back());
    free_.pop_back();
    return array;
  }
  void Give(Integers array) {
    if (free_.size() >= kKept) return;
    array.clear();
    free_.push_back(std::move(array));
  }

 private:
  static constexpr size_t kKept = 16;
  std::vector<Integers> free_;
};

// The numbers that an aggregate has been given: integers as long as all are, since a double does
// not hold every one.
class Numbers {
 public:
  explicit Numbers(Arrays& arrays) : arrays_(arrays), integers_(arrays.Take()) {}
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;
  ~Numbers() { arrays_.Give(std::move(integers_)); }

  void Add(sqlite3_value* value) {
    const int type = sqlite3_value_numeric_type(value);
    if (type == SQLITE_INTEGER && reals_.empty()) {
      integers_.push_back(sqlite3_value_int64(value));
    } else if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
      if (!integers_.empty()) {
        reals_.assign(integers_.begin(), integers_.end());
        integers_.clear();
      }
      reals_.push_back(sqlite3_value_double(value));
    }
  }
  // Null if there are none.
  void Result(sqlite3_context* context, double percent) {
    if (!integers_.empty()) {
      sqlite3_result_int64(context, traces::Percentile(integers_, percent));
    } else if (!reals_.empty()) {
      sqlite3_result_double(context, traces::Percentile(reals_, percent));
    }
  }
  void Append(JsonWriter& json, double percent) {
    if (!integers_.empty()) {
      json.Int(traces::Percentile(integers_, percent));
    } else if (!reals_.empty()) {
      json.Double(traces::Percentile(reals_, percent));
    } else {
      json.Null();
    }
  }

 private:
  Arrays& arrays_;
  Integers integers_;
  std::vector<double> reals_;
};

// What SQLite keeps for an aggregate over a group: zeroed memory that holds a pointer to ours.
template <typename State>
State* StateOf(sqlite3_context* context) {
  auto* slot = static_cast<State**>(sqlite3_aggregate_context(context, sizeof(State*)));
  if (slot == nullptr) return nullptr;
  if (*slot == nullptr) {
    *slot = new State(**static_cast<std::shared_ptr<Arrays>*>(sqlite3_user_data(context)));
  }
  return *slot;
}

// Null if there was no row; else the caller owns it.
template <typename State>
std::unique_ptr<State> TakeState(sqlite3_context* context) {
  auto* slot = static_cast<State**>(sqlite3_aggregate_context(context, 0));
  return std::unique_ptr<State>(slot == nullptr ? nullptr : *slot);
}

// 0 to 100, or an error of the query.
std::optional<double> ReadPercent(sqlite3_context* context, sqlite3_value* value) {
  const int type = sqlite3_value_numeric_type(value);
  const double percent = sqlite3_value_double(value);
  if ((type == SQLITE_INTEGER || type == SQLITE_FLOAT) && percent >= 0 && percent <= 100) {
    return percent;
  }
  sqlite3_result_error(context, "a percentile is asked for by a number from 0 to 100", -1);
  return std::nullopt;
}

// p50, p95, p99: the percentile is the function's own.
template <int kPercent>
struct FixedPercentile {
  static void Step(sqlite3_context* context, int /*argc*/, sqlite3_value** argv) {
    if (Numbers* numbers = StateOf<Numbers>(context)) numbers->Add(argv[0]);
  }
  static void Final(sqlite3_context* context) {
    if (const auto numbers = TakeState<Numbers>(context)) numbers->Result(context, kPercent);
  }
};

// percentile(x, p), percentiles(x, p…): the p of the first row counts.
struct Asked {
  explicit Asked(Arrays& arrays) : numbers(arrays) {}
  Numbers numbers;
  std::vector<double> percents;

  static void Step(sqlite3_context* context, int argc, sqlite3_value** argv) {
    Asked* asked = StateOf<Asked>(context);
    if (asked == nullptr) return;
    if (argc < 2) return sqlite3_result_error(context, "percentiles(x, p, …) needs a p", -1);
    for (int i = 1; i < argc && asked->percents.size() + 1 < static_cast<size_t>(argc); ++i) {
      const auto percent = ReadPercent(context, argv[i]);
      if (!percent) return;
      asked->percents.push_back(*percent);
    }
    asked->numbers.Add(argv[0]);
  }
  static void One(sqlite3_context* context) {
    const auto asked = TakeState<Asked>(context);
    if (asked && !asked->percents.empty()) asked->numbers.Result(context, asked->percents[0]);
  }
  static void All(sqlite3_context* context) {
    const auto asked = TakeState<Asked>(context);
    if (!asked) return;
    JsonWriter json;
    json.BeginArray();
    for (const double percent : asked->percents) asked->numbers.Append(json, percent);
    const std::string text = json.EndArray().Take();
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    sqlite3_result_subtype(context, 'J');
  }
};

void AppendNumber(JsonWriter& json, double value) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (std::trunc(value) == value && std::abs(value) <= kExact) {
    json.Int(static_cast<int64_t>(value));
  } else {
    json.Double(value);
  }
}

struct Buckets {
  explicit Buckets(Arrays& /*arrays*/) {}
  std::optional<traces::Histogram> histogram;

  static void Step(sqlite3_context* context, int argc, sqlite3_value** argv) {
    Buckets* state = StateOf<Buckets>(context);
    if (state == nullptr) return;
    if (!state->histogram) {
      std::optional<double> width;
      if (argc > 1) width = sqlite3_value_double(argv[1]);
      if (width && !(*width > 0 && std::isfinite(*width))) {
        return sqlite3_result_error(context, "the width of a histogram's intervals is above 0", -1);
      }
      state->histogram.emplace(width);
    }
    const int type = sqlite3_value_numeric_type(argv[0]);
    if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) return;
    const double value = sqlite3_value_double(argv[0]);
    if (std::isfinite(value)) state->histogram->Add(value);
  }
  static void Final(sqlite3_context* context) {
    const auto state = TakeState<Buckets>(context);
    if (!state || !state->histogram) return;
    const auto buckets = state->histogram->Buckets();
    if (!buckets) {
      return sqlite3_result_error(
          context, "a histogram of more than 10000 intervals: give it a greater width", -1);
    }
    JsonWriter json;
    json.BeginArray();
    for (const traces::HistogramBucket& bucket : *buckets) {
      json.BeginObject().Key("from");
      AppendNumber(json, bucket.from);
      json.Key("to");
      AppendNumber(json, bucket.to);
      json.Key("count").Int(static_cast<int64_t>(bucket.count)).EndObject();
    }
    const std::string text = json.EndArray().Take();
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    sqlite3_result_subtype(context, 'J');
  }
};

using StepFunction = void (*)(sqlite3_context*, int, sqlite3_value**);

struct Aggregate {
  const char* name;
  int arguments;  // -1: any number
  StepFunction step;
  void (*final)(sqlite3_context*);
};

constexpr Aggregate kAggregates[] = {
    {"p50", 1, FixedPercentile<50>::Step, FixedPercentile<50>::Final},
    {"p95", 1, FixedPercentile<95>::Step, FixedPercentile<95>::Final},
    {"p99", 1, FixedPercentile<99>::Step, FixedPercentile<99>::Final},
    {"percentile", 2, Asked::Step, Asked::One},
    {"percentiles", -1, Asked::Step, Asked::All},
    {"histogram", 1, Buckets::Step, Buckets::Final},
    {"histogram", 2, Buckets::Step, Buckets::Final},
};

// SQLite refuses the results of functions that mark them as JSON, as some of ours do, and have not
// said so before. Versions before 3.45 know neither.
#ifdef SQLITE_RESULT_SUBTYPE
constexpr int kMayBeJson = SQLITE_RESULT_SUBTYPE;
#else
constexpr int kMayBeJson = 0;
#endif

}  // namespace

Result<void> AddFunctions(sqlite3* connection) {
  const auto arrays = std::make_shared<Arrays>();
  for (const Aggregate& aggregate : kAggregates) {
    // SQLite gives each function's share of the arrays back, also if it does not take the function.
    auto* shared = new std::shared_ptr<Arrays>(arrays);
    const int rc = sqlite3_create_function_v2(
        connection, aggregate.name, aggregate.arguments,
        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS | kMayBeJson, shared, nullptr,
        aggregate.step, aggregate.final,
        [](void* p) { delete static_cast<std::shared_ptr<Arrays>*>(p); });
    if (rc != SQLITE_OK) {
      return Error{Code::kInternal,
                   std::string("function ") + aggregate.name + ": " + sqlite3_errstr(rc)};
    }
  }
  return {};
}

const std::vector<std::string_view>& FunctionCalls() {
  static const std::vector<std::string_view> calls = {
      "p50(x)",
      "p95(x)",
      "p99(x)",
      "percentile(x, p)",
      "percentiles(x, p, …)",
      "histogram(x)",
      "histogram(x, width)",
  };
  return calls;
}

}  // namespace llama::sql
