// changing_graph ROOT SEED: makes the include graph of that seed in an empty folder
// (scan/include_graph_testing.h), and a change to it for each line "change" that comes in.
//
// Says a line of JSON first, {"cwd", "env", "commands"}; for each change {"change": what it is};
// for "dump" {"dump": all of the graph}.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "base/file.h"
#include "base/text/json.h"
#include "scan/include_graph_testing.h"

namespace llama::scan {
namespace {

void Say(JsonWriter& json) { std::cout << json.Take() << std::endl; }

void AddStrings(JsonWriter& json, const std::vector<std::string>& strings) {
  json.BeginArray();
  for (const std::string& string : strings) json.String(string);
  json.EndArray();
}

void SayCommands(const IncludeGraph& graph) {
  JsonWriter json;
  json.BeginObject().Key("cwd").String(graph.cwd()).Key("env");
  AddStrings(json, graph.env());
  json.Key("commands").BeginArray();
  for (size_t i = 0; i < IncludeGraph::kCommands; ++i) AddStrings(json, graph.args(i));
  json.EndArray().EndObject();
  Say(json);
}

void Answer(const char* key, const std::string& value) {
  JsonWriter json;
  json.BeginObject().Key(key).String(value).EndObject();
  Say(json);
}

int Main(const std::string& folder, uint32_t seed) {
  const auto root = RealPath(folder);
  if (!root) {
    std::cerr << root.error().message << "\n";
    return 1;
  }
  IncludeGraph graph(*root, seed, TextUse::kCompiled);
  SayCommands(graph);
  for (std::string line; std::getline(std::cin, line);) {
    bool is_unrelated = false;
    if (line == "change") {
      Answer("change", graph.Change(is_unrelated));
    } else {
      Answer("dump", graph.Dump());
    }
  }
  return 0;
}

}  // namespace
}  // namespace llama::scan

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: changing_graph ROOT SEED\n";
    return 2;
  }
  return llama::scan::Main(argv[1], static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)));
}
