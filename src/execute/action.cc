#include "execute/action.h"

#include <algorithm>

#include "base/codec.h"

namespace llama::execute {
namespace {

void Put(Encoder& out, const std::vector<std::string>& words) {
  out.Uint(words.size());
  for (const std::string& word : words) out.Bytes(word);
}

void Put(Encoder& out, const store::Digest& digest) { out.Raw(digest.view()); }

void Put(Encoder& out, const tree::Manifest& manifest) {
  out.Uint(manifest.size());
  for (const auto& [path, entry] : manifest) {
    out.Bytes(path);
    out.Uint(static_cast<uint64_t>(entry.type));
    out.Bool(entry.executable);
    Put(out, entry.digest);
    out.Bytes(entry.target);
  }
}

}  // namespace

const tree::Manifest& Closure::common_entries() const {
  static const tree::Manifest none;
  return common ? *common : none;
}

const tree::Entry* Closure::Find(const std::string& path) const {
  for (const tree::Manifest* part : {&own, &common_entries(), &inline_links}) {
    const auto it = part->find(path);
    if (it != part->end()) return &it->second;
  }
  return nullptr;
}

bool Action::TravelsWith(const std::string& path) const {
  return std::any_of(inline_files.begin(), inline_files.end(),
                     [&](const tree::InlineFile& file) { return file.path == path; });
}

store::Digest Action::Digest() const {
  Encoder out;
  out.Bytes(program);
  Put(out, argv);
  Put(out, env);
  out.Bytes(cwd);
  out.Uint(umask);
  out.Bytes(input);
  Put(out, closure->common_digest);
  Put(out, closure->own);
  Put(out, closure->inline_links);
  for (const tree::InlineFile& file : inline_files) {
    out.Bytes(file.path);
    out.Bool(file.executable);
    Put(out, store::Sha256(file.bytes));
  }
  out.Uint(inodes ? inodes->size() : 0);
  if (inodes) {
    for (const tree::Inode& inode : *inodes) {
      out.Bytes(inode.path);
      out.Int(inode.mtime_ns);
      out.Uint(inode.number);
    }
  }
  for (const Outputs::Announced& output : outputs.announced) {
    out.Bytes(output.path);
    out.Bool(output.is_tree);
  }
  Put(out, outputs.dirs);
  Put(out, outputs.stems);
  Put(out, outputs.suffixes);
  Put(out, standing);
  out.Bool(in_image);
  return store::Sha256(out.str());
}

}  // namespace llama::execute
