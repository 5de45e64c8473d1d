#include "emulator/request/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace llama::emulator {
namespace {

constexpr double kMs = 1e6;

ModelSettings Parsed(std::string_view text) {
  Result<ModelSettings> settings = ModelSettings::Parse(text);
  EXPECT_TRUE(settings) << settings.error().message;
  return settings ? *settings : ModelSettings();
}

TEST(ModelSettings, ReadsUnits) {
  const struct {
    const char* text;
    const char* key;
    double value;
  } cases[] = {
      {"s3.latency = 20ms", "s3.latency", 20 * kMs},
      {"s3.latency=1.5s # slow", "s3.latency", 1500 * kMs},
      {"  s3.latency\t=  250us", "s3.latency", 0.25 * kMs},
      {"error.any = 5%", "error.any", 0.05},
      {"error.any = 0.25", "error.any", 0.25},
      {"bandwidth.total.up = 100Mbit/s", "bandwidth.total.up", 12.5e6},
      {"bandwidth.total.up = 1 MiB/s", "bandwidth.total.up", 1 << 20},
      {"lambda.max_request = 6MB", "lambda.max_request", 6e6},
      {"lambda.concurrency = 10", "lambda.concurrency", 10},
      {"lambda.freeze = on", "lambda.freeze", 1},
      {"{\"lambda.concurrency\": 7, \"s3.latency\": \"3ms\"}", "lambda.concurrency", 7},
      {"# nothing\n\n", "seed", 1},
      {"profile = aws", "s3.put.latency", 30 * kMs},
      {"s3.put.latency = 1ms\nprofile = aws", "s3.put.latency", 1 * kMs},
  };
  for (const auto& c : cases) {
    EXPECT_DOUBLE_EQ(Parsed(c.text).Number(c.key), c.value) << c.text;
  }
}

TEST(ModelSettings, RefusesWhatItDoesNotUnderstandAndNamesIt) {
  const std::pair<const char*, const char*> cases[] = {
      {"s3.latencey = 20ms", "s3.latencey"},
      {"s3.latency = 20", "s3.latency"},
      {"s3.latency = -1ms", "s3.latency"},
      {"s3.latency = normal 3ms", "s3.latency"},
      {"s3.latency = uniform 5ms 3ms", "s3.latency"},
      {"s3.latency = gamma 1ms 3ms", "s3.latency"},
      {"error.any = 101%", "error.any"},
      {"error.any = nan", "error.any"},
      {"lambda.freeze = maybe", "lambda.freeze"},
      {"a\nb", "line 1"},
      {"\nseed", "line 1"},
      {"profile = gcp", "gcp"},
      {"{\"seed\": ", "JSON"},
      {"{\"seed\": [1]}", "seed"},
  };
  for (const auto& [text, named] : cases) {
    const Result<ModelSettings> settings = ModelSettings::Parse(text);
    ASSERT_FALSE(settings) << text;
    EXPECT_EQ(settings.error().code, Code::kInvalid);
    EXPECT_NE(settings.error().message.find(named), std::string::npos) << settings.error().message;
  }
}

TEST(ModelSettings, FormatReadsBackTheSame) {
  const ModelSettings settings = Parsed(
      "profile = aws\ns3.get.latency = lognormal 20ms 0.4\ns3.put.latency = uniform 1ms 2.5ms\n"
      "error.any = 5%\nbandwidth.total.up = 100Mbit/s");
  EXPECT_EQ(Parsed(settings.Format()).Format(), settings.Format());
  EXPECT_NE(settings.Format().find("s3.get.latency = lognormal 20ms 0.4\n"), std::string::npos);
}

TEST(Model, DrawsFromItsDistributions) {
  const struct {
    const char* value;
    double p05, median, p95;
  } cases[] = {
      {"20ms", 20, 20, 20},
      {"uniform 10ms 30ms", 11, 20, 29},
      {"normal 20ms 4ms", 13.42, 20, 26.58},
      {"lognormal 20ms 0.5", 8.79, 20, 45.5},
  };
  for (const auto& c : cases) {
    Model model(Parsed(std::string("s3.latency = ") + c.value));
    std::vector<double> drawn;
    for (int i = 0; i < 4000; ++i) {
      drawn.push_back(static_cast<double>(model.Draw("s3", "get").latency_ns) / kMs);
    }
    std::sort(drawn.begin(), drawn.end());
    EXPECT_NEAR(drawn[200], c.p05, 0.06 * c.p05) << c.value;
    EXPECT_NEAR(drawn[2000], c.median, 0.05 * c.median) << c.value;
    EXPECT_NEAR(drawn[3800], c.p95, 0.06 * c.p95) << c.value;
  }
}

TEST(Model, NeverGivesNegativeLatencies) {
  Model model(Parsed("s3.latency = normal 1ms 10ms"));
  for (int i = 0; i < 1000; ++i) EXPECT_GE(model.Draw("s3", "get").latency_ns, 0);
}

TEST(Model, PrefersTheOperationsOwnLatency) {
  Model model(Parsed("s3.latency = 5ms\ns3.get.latency = 2ms\nlambda.invoke.latency = 7ms"));
  EXPECT_EQ(model.Draw("s3", "get").latency_ns, 2'000'000);
  EXPECT_EQ(model.Draw("s3", "list").latency_ns, 5'000'000);
  EXPECT_EQ(model.Draw("lambda", "invoke").latency_ns, 7'000'000);
  EXPECT_EQ(model.Draw("lambda", "control").latency_ns, 0);
}

std::vector<int64_t> Latencies(Model& model, int others_between) {
  std::vector<int64_t> drawn;
  for (int i = 0; i < 50; ++i) {
    drawn.push_back(model.Draw("s3", "put").latency_ns);
    for (int j = 0; j < others_between; ++j) model.Draw("s3", "get");
  }
  return drawn;
}

TEST(Model, GivesTheNthRequestTheSameWhateverCameBetween) {
  const char* text = "s3.latency = uniform 1ms 100ms\nseed = 42";
  Model alone(Parsed(text));
  Model among_others(Parsed(text));
  Model other_seed(Parsed("s3.latency = uniform 1ms 100ms\nseed = 43"));
  const std::vector<int64_t> drawn = Latencies(alone, 0);
  EXPECT_EQ(drawn, Latencies(among_others, 3));
  EXPECT_NE(drawn, Latencies(other_seed, 0));
}

std::map<std::string, int> FaultCounts(Model& model, int requests) {
  std::map<std::string, int> counts;
  for (int i = 0; i < requests; ++i) ++counts[FaultName(model.Draw("s3", "get").fault)];
  return counts;
}

TEST(Model, FaultsComeAsOftenAsTheyAreSet) {
  Model model(Parsed("error.500 = 10%\ns3.error.reset = 5%\nlambda.error.429 = 50%"));
  std::map<std::string, int> counts = FaultCounts(model, 10'000);
  EXPECT_NEAR(counts["500"], 1000, 100);
  EXPECT_NEAR(counts["reset"], 500, 75);
  EXPECT_EQ(counts.size(), 3u) << "no other kinds";
}

TEST(Model, SpreadsErrorsOfAnyKindEvenly) {
  Model model(Parsed("error.any = 6%"));
  const std::map<std::string, int> counts = FaultCounts(model, 20'000);
  for (const char* kind : {"reset", "500", "503", "429", "truncate", "stall"}) {
    ASSERT_TRUE(counts.contains(kind)) << kind;
    EXPECT_NEAR(counts.at(kind), 200, 60) << kind;
  }
}

TEST(Model, ResetsComeBeforeAndAfterTheWork) {
  Model model(Parsed("error.reset = 100%"));
  int before = 0;
  for (int i = 0; i < 1000; ++i) before += model.Draw("s3", "put").fault == Fault::kResetBefore;
  EXPECT_NEAR(before, 500, 80);
}

TEST(Model, EverythingFailsAtOneHundredPercent) {
  Model model(Parsed("error.any = 100%\nstall.time = 3s"));
  for (int i = 0; i < 1000; ++i) {
    const Plan plan = model.Draw("s3", "get");
    EXPECT_NE(plan.fault, Fault::kNone);
    EXPECT_EQ(plan.stall_ns, plan.fault == Fault::kStall ? 3'000'000'000 : 0);
  }
}

TEST(Model, ReplacingItBeginsAnew) {
  Model model(Parsed("s3.latency = uniform 1ms 100ms"));
  const std::vector<int64_t> drawn = Latencies(model, 0);
  model.Replace(Parsed("s3.latency = uniform 1ms 100ms"));
  EXPECT_EQ(Latencies(model, 0), drawn);
}

}  // namespace
}  // namespace llama::emulator
