#include "scan/texts.h"

#include <algorithm>
#include <utility>

#include "base/file.h"

namespace llama::scan {
namespace {

// A text that was digested before, once more: it must be what it was then.
Result<std::string> ReadProven(const std::string& path, const store::Digest& digest) {
  ASSIGN_OR_RETURN(std::string text, ReadFile(path, files::kMaxTextBytes));
  if (store::Sha256(text) != digest) {
    return Error{Code::kUnavailable, path + ": changes while it is read"};
  }
  return text;
}

}  // namespace

Result<std::shared_ptr<const Directives>> Texts::Read(files::LiveTree& tree, files::EntryId entry) {
  std::optional<std::string> bytes;
  ASSIGN_OR_RETURN(const files::FileDigest* const content, tree.ContentOf(entry, &bytes));
  Text& text = read_[entry];
  const uint32_t version = tree.ContentVersion(entry);
  if (text.directives && text.version == version) return text.directives;
  ASSIGN_OR_RETURN(Directives directives, DirectivesOf(tree.PathOf(entry), content->digest, bytes));
  // An edit that leaves them alone keeps what was made of them.
  if (!text.directives || text.directives->hash != directives.hash) {
    text.directives = std::make_shared<const Directives>(std::move(directives));
  }
  text.definitions.reset();
  text.version = version;
  return text.directives;
}

const Directives* Texts::LastRead(files::EntryId entry) const {
  const auto it = read_.find(entry);
  return it == read_.end() ? nullptr : it->second.directives.get();
}

// `text`, if there is one, is what the digest was made of.
Result<Directives> Texts::DirectivesOf(const std::string& path, const store::Digest& digest,
                                       const std::optional<std::string>& text) {
  if (cache_ != nullptr) {
    if (std::optional<Directives> known = cache_->Find(digest)) return *std::move(known);
  }
  std::string again;
  if (!text) {
    ASSIGN_OR_RETURN(again, ReadProven(path, digest));
  }
  Directives directives = ReadDirectives(text ? *text : again);
  if (cache_ != nullptr) cache_->Add(digest, directives);
  return directives;
}

Result<std::span<const Definition>> Texts::DefinitionsOf(files::LiveTree& tree,
                                                         files::EntryId entry,
                                                         std::string_view name) {
  std::optional<std::vector<Definition>>& all = read_[entry].definitions;
  if (!all) {
    ASSIGN_OR_RETURN(const files::FileDigest* const content, tree.ContentOf(entry));
    ASSIGN_OR_RETURN(const std::string bytes, ReadProven(tree.PathOf(entry), content->digest));
    std::vector<Definition> found = ReadDefinitions(bytes);
    std::stable_sort(found.begin(), found.end(),
                     [](const Definition& a, const Definition& b) { return a.name < b.name; });
    for (Definition& definition : found) definition.text = entry + uint64_t{1};
    all = std::move(found);
  }
  struct ByName {
    bool operator()(const Definition& a, std::string_view b) const { return a.name < b; }
    bool operator()(std::string_view a, const Definition& b) const { return a < b.name; }
  };
  const auto [first, last] = std::equal_range(all->begin(), all->end(), name, ByName());
  return std::span<const Definition>(first, last);
}

}  // namespace llama::scan
