#include "llama/explain/advice.h"

#include <array>

namespace llama::app {
namespace {

struct Row {
  std::string_view word;
  Advice advice;
};

constexpr std::string_view kFine = "";
constexpr std::string_view kOneAtATime = "compile each source by a command of its own";

constexpr auto kRows = std::to_array<Row>({
    // What the command is.
    {"link", {"no -c: the command links, which is done here", kFine}},
    {"preprocess", {"-E: it only preprocesses", kFine}},
    {"assembly", {"-S: it makes assembler text", kFine}},
    {"dependencies", {"-M or -MM: it only lists what a source includes", kFine}},
    {"precompile",
     {"it makes a precompiled header, which holds addresses and times of where it was made",
      kFine}},
    {"syntax-only", {"it makes no object", kFine}},
    {"analyze", {"it makes a report, no object", kFine}},
    {"emit-llvm", {"it makes LLVM's code, no object", kFine}},
    {"emit-ast", {"it makes a syntax tree, no object", kFine}},
    {"query", {"it asks the compiler about itself", kFine}},
    {"no-source", {"it names no source", kFine}},
    {"stdin", {"the source comes on standard input", "write the source to a file first"}},
    {"several-sources", {"it compiles several sources at once", kOneAtATime}},
    {"assembler", {"LLAMACC_REMOTE_ASSEMBLE=0 keeps assembler sources here", "unset it"}},
    {"language", {"the source is in a language that is not compiled remotely", kFine}},
    {"response-file",
     {"an @file can't be read, or is nested too deeply", "look whether it is there"}},
    {"missing-value", {"an option lacks its value; the compiler will say so", kFine}},
    {"source-not-a-file", {"the source is no ordinary file", kFine}},
    {"source-not-regular", {"the source is no ordinary file, or is not there", kFine}},
    {"output-not-regular",
     {"an output is there already and is no ordinary file",
      "let the command write to a file of its own, not to a link or a device"}},
    // Options.
    {"unknown-option",
     {"the option is not in llama's table of options",
      "leave the option out if it changes nothing; else report it, with the compiler's version"}},
    {"unsafe-option",
     {"the option reaches beyond the files that can be foreseen",
      "leave the option out, or keep it for the sources that need it"}},
    {"host-native",
     {"the option stands for this machine's processor, and what it stands for can't be put in its "
      "place here",
      "name the processor: -march=x86-64-v3, or what 'gcc -march=native -Q --help=target' says"}},
    {"colour-in-recorded-command",
     {"the object would hold the option by which colour is asked for",
      "set -fdiagnostics-color=never or leave the recording of the command line out"}},
    {"environment",
     {"a variable of the environment changes what the compiler does in a way that is not "
      "understood",
      "unset the variable for the build"}},
    // The compiler.
    {"toolchain",
     {"the compiler is none that llama understands: a script, or neither gcc nor clang",
      "call the compiler itself, not what wraps it"}},
    {"toolchain-unrecordable",
     {"a program of the compiler is static, or has another loader than glibc's: what it looks up "
      "can't be seen",
      "use a compiler that is linked to glibc dynamically"}},
    {"lookups-unrecorded",
     {"what the compiler looks up was not recorded when it was tried", kFine}},
    // The inputs.
    {"preprocess-failed",
     {"the preprocessor finds an error in the code, which the compiler here reports", kFine}},
    {"scan-failed", {"the inputs could not be found", "look at the detail"}},
    {"input", {"an input can't be read as it was named", "look at the detail"}},
    {"output",
     {"the folder of an output is not there or can't be reached", "make the folder first"}},
    {"timestamp-macro",
     {"__TIMESTAMP__ is in an input: the file's own time would show",
      "leave __TIMESTAMP__ out; __DATE__ and __TIME__ are no obstacle"}},
    {"equal-inputs",
     {"two inputs have the same content, and the compiler may ask whether they are one file",
      "include one of the two only, or let them differ in a comment"}},
    {"inputs-changed",
     {"an input changed while the job was under way, several times over",
      "let the build finish what it generates before it compiles"}},
    {"not-shippable",
     {"a worker asked for a file that this command can't have read", "run 'llama doctor'"}},
    // On the way.
    {"slow-upload",
     {"an upload took long, and a core here was idle",
      "the next build finds the objects uploaded; 'llama report' says what the uplink did"}},
    {"sync", {"the store refused, or files kept changing", "run 'llama doctor'"}},
    {"store-keeps-losing-objects", {"the store lost what was uploaded", "run 'llama doctor'"}},
    {"invoke", {"the function could not be run", "run 'llama doctor'"}},
    {"worker", {"the function could not do it", "run 'llama doctor'"}},
    {"answer", {"the function's answer made no sense", "run 'llama doctor'"}},
    {"function", {"the function could not be run", "run 'llama doctor'"}},
    {"payload-too-large", {"the job does not fit into an invocation", "split the source"}},
    {"cloud-unavailable",
     {"nothing was sent, since the cloud was in trouble", "run 'llama doctor'"}},
    {"lookups",
     {"what the compiler looked up could not be made right", "please report the command"}},
    {"verify", {"what the compiler looked up could not be compared", "look at the detail"}},
    {"deadline",
     {"the time of the job as a whole was up",
      "give it more by LLAMA_JOB_TIMEOUT, or split the source"}},
    {"remote-compiler-failed",
     {"the compiler crashed, was killed, or ran out of something",
      "give the function more memory ('llama function update --memory')"}},
    {"translated-diagnostics",
     {"there were diagnostics, and workers speak English only", "build with LC_MESSAGES=C"}},
    {"outputs", {"the answer lacked the object, or held what was not announced", kFine}},
    {"write", {"an output could not be written", "look at the detail"}},
    {"cancelled", {"the command was interrupted", kFine}},
});

}  // namespace

Advice AdviceOn(std::string_view reason) {
  const std::string_view word = reason.substr(0, reason.find(':'));
  for (const Row& row : kRows) {
    if (row.word == word) return row.advice;
  }
  return {"docs/trace_format.md lists the reasons", ""};
}

}  // namespace llama::app
