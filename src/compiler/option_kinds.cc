#include "compiler/option_kinds.h"

#include <utility>

#include "compiler/options.h"

namespace llama::compiler {
namespace {

using KindAndDetail = std::pair<std::string_view, std::string_view>;

KindAndDetail KindOf(Effect effect) {
  switch (effect) {
    case Effect::kPlain:
      return {"plain", "passed on as it is"};
    case Effect::kCompile:
      return {"action", "compiles to an object"};
    case Effect::kAssembly:
      return {"action", "compiles to assembler text"};
    case Effect::kPreprocess:
      return {"action", "only preprocesses"};
    case Effect::kEmitLlvm:
      return {"action", "writes LLVM's code"};
    case Effect::kPreprocessed:
      return {"language", "the source is preprocessed already"};
    case Effect::kProgramIn:
      return {"file-in", "is loaded, with its libraries"};
    case Effect::kSelect:
    case Effect::kSelectPath:
      return {"selects", "decides which programs and folders are the compiler's"};
    case Effect::kXPreprocessor:
      return {"preprocessor", "handed to the preprocessor"};
    case Effect::kXAssembler:
      return {"assembler", "handed to the assembler"};
    case Effect::kFrontEnd:
      return {"front-end", "handed to clang's front end"};
    case Effect::kSideFileOfValue:
    case Effect::kSidePath:
    case Effect::kSidePathInValue:
      return {"output", "makes the compiler write a file"};
    case Effect::kLocalAction:
      return {"action", "no compile to an object"};
    case Effect::kOutput:
      return {"output", "names the object"};
    case Effect::kLanguage:
      return {"language", "of the sources that follow"};
    case Effect::kSearchDir:
      return {"folder-in", "searched for headers"};
    case Effect::kPathIn:
      return {"file-in", "is read"};
    case Effect::kDepfile:
      return {"output", "writes the rules for make"};
    case Effect::kDepfilePath:
      return {"output", "names the rules for make"};
    case Effect::kDepTarget:
    case Effect::kDepFlag:
      return {"dependencies", "decides what stands in the rules for make"};
    case Effect::kNative:
      return {"host-dependent", "stands for what this machine's processor has"};
    case Effect::kPreprocessor:
      return {"preprocessor", "handed to the preprocessor"};
    case Effect::kAssembler:
      return {"assembler", "handed to the assembler"};
    case Effect::kDebug:
    case Effect::kNoDebug:
      return {"plain", "debug information"};
    case Effect::kSplitDebug:
    case Effect::kSideFile:
    case Effect::kSaveTemps:
      return {"output", "writes files beside the object"};
    case Effect::kColor:
      return {"plain", "decides about colour"};
    case Effect::kCharset:
      return {"host-dependent", "may need a converter of this machine's libc"};
    case Effect::kRecordsCommand:
      return {"plain", "the object holds the command line"};
    case Effect::kUnsafe:
      return {"pins", "reaches beyond what is understood"};
  }
  return {"unknown", ""};
}

DescribedArg Describe(const Arg& arg) {
  DescribedArg out;
  for (const std::string& word : arg.words) {
    out.text.append(out.text.empty() ? "" : " ").append(word);
  }
  const std::string& word = arg.words[0];
  if (arg.kind == ArgKind::kSource) {
    out.kind = "source";
    out.detail = "is compiled";
    return out;
  }
  const Match match = MatchOption(word);
  const KindAndDetail known = match.option == nullptr
                                  ? KindAndDetail{"unknown", "is not in the table of options"}
                                  : KindOf(match.option->effect);
  out.kind = known.first;
  out.detail = known.second;
  const bool has_own = match.option != nullptr && !match.option->detail.empty();
  if (has_own && match.option->effect == Effect::kUnsafe) out.detail = match.option->detail;
  return out;
}

}  // namespace

std::vector<DescribedArg> DescribeArgs(const Command& command) {
  std::vector<DescribedArg> out;
  for (const Arg& arg : command.args) {
    DescribedArg& described = out.emplace_back(Describe(arg));
    if (arg.kind == ArgKind::kSource) continue;
    for (const std::string& reason : command.option_reasons) {
      const std::string_view about = std::string_view(reason).substr(reason.find(':') + 1);
      const bool is_value = arg.words.size() > 1 && about == arg.words[0] + "=" + arg.words[1];
      if (about == arg.words[0] || is_value) described.pins = reason;
    }
  }
  return out;
}

}  // namespace llama::compiler
