// A comparison for programs.
#include "analysis/compare/compare.h"
#include "base/text/json.h"

namespace llama::analysis {
namespace {

void AddInt(JsonWriter& json, std::string_view key, const std::optional<int64_t>& value) {
  json.Key(key);
  value ? json.Int(*value) : json.Null();
}

void AddSide(JsonWriter& json, std::string_view key, const std::vector<Comparison::Name>& builds) {
  json.Key(key).BeginArray();
  for (const Comparison::Name& build : builds) {
    json.BeginObject();
    json.Key("id").String(build.id);
    json.Key("name").String(build.name);
    json.Key("wall_ns").Int(build.wall_ns);
    json.Key("finished").Bool(build.finished);
    json.Key("outcome");
    build.outcome.empty() ? json.Null() : json.String(build.outcome);
    json.EndObject();
  }
  json.EndArray();
}

void AddInterval(JsonWriter& json, std::string_view key, const MedianInterval& interval) {
  json.Key(key).BeginObject();
  json.Key("low").Int(interval.low);
  json.Key("high").Int(interval.high);
  json.Key("coverage").Double(interval.coverage);
  json.EndObject();
}

void AddFigures(JsonWriter& json, const Comparison& c) {
  json.Key("figures").BeginArray();
  for (const FigureDifference& figure : c.figures) {
    json.BeginObject();
    json.Key("name").String(figure.key);
    AddInt(json, "a", figure.a);
    AddInt(json, "b", figure.b);
    if (figure.a && figure.b) {
      json.Key("delta").Int(*figure.b - *figure.a);
      AddInterval(json, "a_interval", figure.a_interval);
      AddInterval(json, "b_interval", figure.b_interval);
      json.Key("shift").Int(figure.shift.median);
      if (figure.shift.interval) AddInterval(json, "shift_interval", *figure.shift.interval);
      json.Key("p").Double(figure.p);
    }
    json.Key("verdict").String(VerdictName(figure.verdict));
    json.EndObject();
  }
  json.EndArray();
}

void AddParts(JsonWriter& json, std::string_view key, const Decomposition& whole) {
  json.Key(key).BeginObject();
  json.Key("a_ns").Int(whole.a_ns);
  json.Key("b_ns").Int(whole.b_ns);
  json.Key("delta_ns").Int(whole.b_ns - whole.a_ns);
  json.Key("parts").BeginArray();
  for (const PartDifference& part : whole.parts) {
    json.BeginObject();
    json.Key("name").String(part.name);
    json.Key("a_ns").Int(part.a_ns);
    json.Key("b_ns").Int(part.b_ns);
    json.Key("delta_ns").Int(part.delta_ns());
    json.EndObject();
  }
  json.EndArray().EndObject();
}

void AddUnits(JsonWriter& json, const UnitsDifference& units) {
  json.Key("units").BeginObject();
  json.Key("threshold").Double(units.threshold);
  json.Key("delta_ns").Int(units.total_delta_ns);
  for (size_t i = 0; i < kUnitChanges; ++i) {
    json.Key(UnitChangeName(static_cast<UnitChange>(i))).BeginObject();
    json.Key("count").Int(static_cast<int64_t>(units.counts[i]));
    json.Key("delta_ns").Int(units.delta_ns[i]).EndObject();
  }
  json.Key("all").BeginArray();
  for (const UnitDifference& unit : units.all) {
    json.BeginObject();
    json.Key("name").String(unit.name);
    json.Key("ordinal").Int(unit.ordinal);
    json.Key("change").String(UnitChangeName(unit.change));
    AddInt(json, "a_ns", unit.a_ns);
    AddInt(json, "b_ns", unit.b_ns);
    json.Key("delta_ns").Int(unit.delta_ns());
    json.Key("mostly").String(unit.mostly);
    json.EndObject();
  }
  json.EndArray().EndObject();
}

void AddDistribution(JsonWriter& json, std::string_view key, const Distribution::Of& of) {
  json.Key(key).BeginObject();
  json.Key("count").Int(static_cast<int64_t>(of.count));
  json.Key("p50_ns").Int(of.p50_ns);
  json.Key("p95_ns").Int(of.p95_ns);
  json.Key("p99_ns").Int(of.p99_ns);
  json.Key("histogram").BeginArray();
  for (const uint64_t count : of.histogram) json.Int(static_cast<int64_t>(count));
  json.EndArray().EndObject();
}

void AddDistributions(JsonWriter& json, const Comparison& c) {
  json.Key("distributions").BeginArray();
  for (const Distribution& distribution : c.distributions) {
    json.BeginObject();
    json.Key("name").String(distribution.name);
    json.Key("below_ns").BeginArray();
    for (const int64_t bound : distribution.bounds_ns) json.Int(bound);
    json.EndArray();
    AddDistribution(json, "a", distribution.a);
    AddDistribution(json, "b", distribution.b);
    json.EndObject();
  }
  json.EndArray();
}

void AddConfiguration(JsonWriter& json, const Comparison& c) {
  const auto values = [&](std::string_view key, const std::vector<std::string>& texts) {
    json.Key(key).BeginArray();
    for (const std::string& text : texts) json.String(text);
    json.EndArray();
  };
  json.Key("configuration").BeginArray();
  for (const ConfigurationDifference& difference : c.configuration) {
    json.BeginObject();
    json.Key("name").String(difference.name);
    values("a", difference.a);
    values("b", difference.b);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

std::string FormatComparisonJson(const Comparison& c) {
  JsonWriter json;
  json.BeginObject();
  AddSide(json, "a", c.a);
  AddSide(json, "b", c.b);
  AddFigures(json, c);
  AddParts(json, "wall", c.wall);
  AddParts(json, "work", c.work);
  AddUnits(json, c.units);
  AddDistributions(json, c);
  AddConfiguration(json, c);
  json.EndObject();
  return json.Take() + "\n";
}

}  // namespace llama::analysis
