#include "llama/explain/explanation_text.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text/format.h"
#include "base/text/json.h"
#include "builds/record.h"
#include "llama/explain/advice.h"

namespace llama::app {
namespace {

using daemon::Explanation;

constexpr size_t kMaxOrigins = 8;
constexpr size_t kShownArgument = 60;

std::string FilesAndBytes(const Explanation::Size& size) {
  return Plural(size.files, "file", "files") + ", " + FormatBytes(static_cast<int64_t>(size.bytes));
}

std::string_view RungInWords(std::string_view rung) {
  if (rung == "superset") return "by what the files say";
  if (rung == "learned") return "by what the files say, and what the compiler said before";
  if (rung == "cc-M") return "by the compiler's -M";
  return rung;
}

class Text {
 public:
  Text(const Explanation& explanation, const TextStyle& style, bool all_inputs)
      : explanation_(explanation), out_(style), all_inputs_(all_inputs) {}

  std::string Take() {
    Verdict();
    Command();
    Arguments();
    Inputs();
    Outputs();
    return out_.Take();
  }

 private:
  void Section(std::string_view heading) {
    out_.Raw("");
    out_.Heading(heading);
  }

  void Verdict() {
    out_.Heading(explanation_.is_remote() ? "Runs remotely" : "Runs here");
    for (const Explanation::Why& why : explanation_.whys) {
      const Advice advice = AdviceOn(why.word);
      out_.Line(why == explanation_.whys.front() ? "reason" : "and",
                Printable(why.word + (why.detail.empty() ? "" : ": " + why.detail)));
      out_.Line("", advice.meaning);
      if (!advice.remedy.empty()) out_.Line("to change it", advice.remedy);
    }
  }

  void Command() {
    Section("Command");
    out_.Line("command", Printable(builds::ShellCommand(explanation_.argv)));
    out_.Line("in", Printable(explanation_.cwd));
    out_.Line("compiler", Printable(explanation_.compiler));
    if (!explanation_.version.empty()) out_.Line("", Printable(explanation_.version));
  }

  void Arguments() {
    if (explanation_.arguments.empty()) return;
    Section("Options");
    TextTable table({"option", "what it is"}, /*text_last=*/true);
    for (const Explanation::Argument& argument : explanation_.arguments) {
      table.Add({CutTo(Printable(argument.text), kShownArgument),
                 argument.pins.empty() ? argument.kind + ": " + argument.detail
                                       : "keeps it here: " + Printable(argument.pins)});
    }
    table.Write(out_);
  }

  void Inputs() {
    if (explanation_.rung.empty()) return;
    Section("Inputs");
    const Explanation::Size all{explanation_.own.files + explanation_.inlined.files,
                                explanation_.own.bytes + explanation_.inlined.bytes};
    out_.Line("found", FilesAndBytes(all) + ", " + std::string(RungInWords(explanation_.rung)));
    if (!explanation_.rung_reason.empty()) {
      out_.Line("not cheaper", Printable(explanation_.rung_reason));
    }
    for (size_t i = 0; i < std::min(kMaxOrigins, explanation_.origins.size()); ++i) {
      const Explanation::Origin& origin = explanation_.origins[i];
      out_.Line(i == 0 ? "from" : "",
                FilesAndBytes({origin.files, origin.bytes}) + "  " + Printable(origin.folder));
    }
    if (explanation_.origins.size() > kMaxOrigins) {
      out_.Line("", std::to_string(explanation_.origins.size() - kMaxOrigins) + " more folders");
    }
    if (all_inputs_) {
      for (const std::string& input : explanation_.inputs) out_.Raw("    " + Printable(input));
    }
    Section("What a worker is to have");
    out_.Line("compiler", FilesAndBytes(explanation_.toolchain) + ", sent once for all compiles");
    out_.Line("headers", FilesAndBytes(explanation_.own) + ", each sent once for all that need it");
    out_.Line("with the job", FilesAndBytes(explanation_.inlined));
  }

  void Outputs() {
    if (explanation_.outputs.empty()) return;
    Section("Outputs");
    for (const Explanation::Output& output : explanation_.outputs) {
      out_.Line(output.what, Printable(output.path));
    }
  }

  const Explanation& explanation_;
  TextWriter out_;
  const bool all_inputs_;
};

void AddSize(JsonWriter& json, std::string_view key, const Explanation::Size& size) {
  json.Key(key).BeginObject();
  json.Key("files").Int(static_cast<int64_t>(size.files));
  json.Key("bytes").Int(static_cast<int64_t>(size.bytes)).EndObject();
}

void AddInputs(JsonWriter& json, const Explanation& explanation) {
  json.Key("inputs").BeginObject();
  json.Key("rung").String(explanation.rung);
  json.Key("rung_reason").String(explanation.rung_reason);
  json.Key("from").BeginArray();
  for (const Explanation::Origin& origin : explanation.origins) {
    json.BeginObject().Key("folder").String(origin.folder);
    json.Key("files").Int(static_cast<int64_t>(origin.files));
    json.Key("bytes").Int(static_cast<int64_t>(origin.bytes)).EndObject();
  }
  json.EndArray().Key("files").BeginArray();
  for (const std::string& input : explanation.inputs) json.String(input);
  json.EndArray().EndObject();
  json.Key("shipped").BeginObject();
  AddSize(json, "compiler", explanation.toolchain);
  AddSize(json, "headers", explanation.own);
  AddSize(json, "with_job", explanation.inlined);
  json.EndObject();
}

}  // namespace

std::string FormatExplanation(const Explanation& explanation, const TextStyle& style,
                              bool all_inputs) {
  return Text(explanation, style, all_inputs).Take();
}

std::string FormatExplanationJson(const Explanation& explanation) {
  JsonWriter json;
  json.BeginObject().Key("remote").Bool(explanation.is_remote());
  json.Key("reasons").BeginArray();
  for (const Explanation::Why& why : explanation.whys) {
    const Advice advice = AdviceOn(why.word);
    json.BeginObject().Key("reason").String(why.word).Key("detail").String(why.detail);
    json.Key("meaning").String(advice.meaning).Key("remedy").String(advice.remedy).EndObject();
  }
  json.EndArray().Key("command").BeginArray();
  for (const std::string& word : explanation.argv) json.String(word);
  json.EndArray().Key("cwd").String(explanation.cwd);
  json.Key("compiler").String(explanation.compiler).Key("version").String(explanation.version);
  json.Key("source").String(explanation.source).Key("options").BeginArray();
  for (const Explanation::Argument& argument : explanation.arguments) {
    json.BeginObject().Key("text").String(argument.text).Key("kind").String(argument.kind);
    json.Key("detail").String(argument.detail).Key("keeps_here").String(argument.pins).EndObject();
  }
  json.EndArray();
  if (!explanation.rung.empty()) AddInputs(json, explanation);
  json.Key("outputs").BeginArray();
  for (const Explanation::Output& output : explanation.outputs) {
    json.BeginObject().Key("path").String(output.path).Key("what").String(output.what).EndObject();
  }
  json.EndArray().EndObject();
  return json.Take() + "\n";
}

}  // namespace llama::app
