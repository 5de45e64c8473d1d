#include <gtest/gtest.h>

#include <string>

#include "llama/explain/advice.h"
#include "llama/explain/explanation_text.h"
#include "llama/explain/past_compile.h"
#include "traces/load/loader.h"

namespace llama::app {
namespace {

daemon::Explanation Remote() {
  daemon::Explanation out;
  out.argv = {"gcc", "-O2", "-c", "a b.c"};
  out.cwd = "/p";
  out.compiler = "/usr/bin/gcc";
  out.version = "gcc 12";
  out.source = "a b.c";
  out.arguments = {{"-O2", "plain", "passed on as it is", ""},
                   {"a b.c", "source", "is compiled", ""}};
  out.rung = "cc-M";
  out.rung_reason = "a name that \x1b can't be computed";
  out.inputs = {"/p/a b.c", "/usr/include/x.h"};
  out.origins = {{"/usr/include", 1, 2000}, {"/p", 1, 10}};
  out.toolchain = {18, 80'000'000};
  out.own = {1, 2000};
  out.inlined = {1, 10};
  out.outputs = {{"/p/a b.o", "object"}, {"/p/a b*.dwo", "beside it"}};
  return out;
}

daemon::Explanation Here() {
  daemon::Explanation out;
  out.argv = {"gcc", "-c", "a.c", "-B", "x"};
  out.arguments = {{"-B x", "pins", "reaches beyond", "unsafe-option:-B"}};
  out.whys = {{"unsafe-option:-B", ""}, {"input", "no such file"}};
  return out;
}

TEST(ExplanationTextTest, SaysHowACommandIsSeen) {
  EXPECT_EQ(FormatExplanation(Remote(), {}, true),
            "Runs remotely\n"
            "\n"
            "Command\n"
            "  command         gcc -O2 -c 'a b.c'\n"
            "  in              /p\n"
            "  compiler        /usr/bin/gcc\n"
            "                  gcc 12\n"
            "\n"
            "Options\n"
            "  option  what it is\n"
            "  -O2     plain: passed on as it is\n"
            "  a b.c   source: is compiled\n"
            "\n"
            "Inputs\n"
            "  found           2 files, 2.01 kB, by the compiler's -M\n"
            "  not cheaper     a name that ? can't be computed\n"
            "  from            1 file, 2.00 kB  /usr/include\n"
            "                  1 file, 10 B  /p\n"
            "    /p/a b.c\n"
            "    /usr/include/x.h\n"
            "\n"
            "What a worker is to have\n"
            "  compiler        18 files, 80.0 MB, sent once for all compiles\n"
            "  headers         1 file, 2.00 kB, each sent once for all that need it\n"
            "  with the job    1 file, 10 B\n"
            "\n"
            "Outputs\n"
            "  object          /p/a b.o\n"
            "  beside it       /p/a b*.dwo\n");
}

TEST(ExplanationTextTest, SaysEachReasonAndWhatWouldChangeIt) {
  const std::string text = FormatExplanation(Here(), {}, false);
  EXPECT_TRUE(text.starts_with("Runs here\n  reason          unsafe-option:-B\n")) << text;
  EXPECT_NE(text.find("  and             input: no such file\n"), text.npos) << text;
  EXPECT_NE(text.find("  to change it    "), text.npos) << text;
  EXPECT_NE(text.find("-B x    keeps it here: unsafe-option:-B\n"), text.npos) << text;
  EXPECT_EQ(text.find("Inputs"), text.npos) << text;
}

TEST(ExplanationJsonTest, IsOneObject) {
  const std::string json = FormatExplanationJson(Here());
  EXPECT_TRUE(json.starts_with(R"({"remote":false,"reasons":[{"reason":"unsafe-option:-B",)"))
      << json;
  EXPECT_NE(json.find(R"("keeps_here":"unsafe-option:-B")"), json.npos) << json;
  EXPECT_TRUE(json.ends_with("}\n"));
  EXPECT_NE(FormatExplanationJson(Remote()).find(
                R"("shipped":{"compiler":{"files":18,"bytes":80000000},)"),
            std::string::npos);
}

TEST(AdviceTest, CountsWhatIsBeforeAColon) {
  EXPECT_EQ(AdviceOn("unsafe-option:-B").meaning, AdviceOn("unsafe-option").meaning);
  EXPECT_FALSE(AdviceOn("host-native:-march=native").remedy.empty());
  EXPECT_TRUE(AdviceOn("link").remedy.empty());
  EXPECT_EQ(AdviceOn("nobody knows it").meaning, "docs/trace_format.md lists the reasons");
}

std::string Line(int number, const std::string& name, int parent, const std::string& fields) {
  const std::string id = std::to_string(number);
  return R"({"trace_id":"000000000000000000000000000000)" + std::to_string(10 + number / 10) +
         R"(","span_id":"00000000000000)" + std::to_string(10 + number % 10) +
         R"(","parent_id":")" +
         (parent < 0 ? "" : "00000000000000" + std::to_string(10 + parent % 10)) + R"(","name":")" +
         name + R"(","start":"2026-11-22T08:20:5)" + id.substr(0, 1) +
         R"(Z","duration":2000000,"fields":{)" + fields + "}}\n";
}

traces::Columns Trace() {
  return traces::LoadText(
      Line(10, "llamacc", -1,
           R"("global.build_id":"b","source":"src/a.c","object":"../out/a.o","cwd":"/p/x",)"
           R"("compiler":"/usr/bin/gcc","remote":true,"rung":"superset","status":0)") +
      Line(11, "scan", 10, R"("files":34)") + Line(12, "sync", 10, R"("uploaded_bytes":1000)") +
      Line(13, "sync", 10, R"("uploaded_bytes":500)") +
      Line(20, "llamacc", -1,
           R"("global.build_id":"b","source":"src/a.c","object":"a.pic.o","cwd":"/p/x",)"
           R"("compiler":"/usr/bin/gcc","remote":false,"reason":"unsafe-option:-B")"));
}

TEST(FindCompilesTest, TakesAPathFromHereOrTheEndOfOne) {
  const traces::Columns trace = Trace();
  const auto count = [&](const std::string& name, const std::string& cwd) {
    return FindCompiles(trace, name, cwd).size();
  };
  EXPECT_EQ(count("src/a.c", "/p/x"), 2u);
  EXPECT_EQ(count("/p/x/src/a.c", "/"), 2u);
  EXPECT_EQ(count("../out/a.o", "/p/x"), 1u);
  EXPECT_EQ(count("a.o", "/p/out"), 1u);
  EXPECT_EQ(count("a.o", "/elsewhere"), 1u);
  EXPECT_EQ(count("a.c", "/elsewhere"), 2u);
  EXPECT_EQ(count(".c", "/elsewhere"), 0u);
  EXPECT_EQ(count("/a.c", "/elsewhere"), 0u);
  EXPECT_EQ(count("b.c", "/p/x"), 0u);
}

TEST(PastCompileTest, SaysWhatBecameOfIt) {
  const traces::Columns trace = Trace();
  const auto rows = FindCompiles(trace, "a.c", "/");
  ASSERT_EQ(rows.size(), 2u);
  const std::string remote = FormatPastCompile(trace, rows[0], {});
  EXPECT_TRUE(remote.starts_with("Ran remotely: src/a.c\n")) << remote;
  EXPECT_NE(remote.find("  inputs          34\n"), remote.npos) << remote;
  EXPECT_NE(remote.find("  uploaded        1.50 kB\n"), remote.npos) << remote;
  const std::string here = FormatPastCompile(trace, rows[1], {});
  EXPECT_TRUE(here.starts_with("Ran here: src/a.c\n  reason          unsafe-option:-B\n")) << here;
  const std::string json = PastCompileJson(trace, rows[0]);
  EXPECT_TRUE(json.starts_with(R"({"remote":true,"reasons":[],"build":"b",)")) << json;
  EXPECT_NE(json.find(R"("uploaded_bytes":1500)"), json.npos) << json;
}

}  // namespace
}  // namespace llama::app
