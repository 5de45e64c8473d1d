#include "emulator/s3/object.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"

namespace llama::emulator {
namespace {

ObjectIndex IndexOf(const std::vector<std::string>& keys) {
  ObjectIndex index;
  for (const std::string& key : keys) index[key].key = key;
  return index;
}

// "key" and "prefix/*", in the order given by the page: keys, then prefixes.
std::vector<std::string> Items(const ListPage& page) {
  std::vector<std::string> items;
  for (const ObjectMeta& object : page.objects) items.push_back(object.key);
  for (const std::string& prefix : page.prefixes) items.push_back(prefix + "*");
  return items;
}

using Strings = std::vector<std::string>;

TEST(ListKeys, FindsWhatIsAskedFor) {
  const ObjectIndex index =
      IndexOf({"a", "a/1", "a/2/x", "a/2/y", "a/3", "b", "b/", "c\xff", "c\xff\x01", "d"});
  const struct {
    ListQuery query;
    Strings items;
  } cases[] = {
      {{"a/", "", ""}, {"a/1", "a/2/x", "a/2/y", "a/3"}},
      {{"a/", "/", ""}, {"a/1", "a/3", "a/2/*"}},
      {{"", "/", ""}, {"a", "b", "c\xff", "c\xff\x01", "d", "a/*", "b/*"}},
      {{"", "", "c"}, {"c\xff", "c\xff\x01", "d"}},
      {{"c\xff", "\x01", ""}, {"c\xff", "c\xff\x01*"}},
      {{"a/", "/", "a/2/x"}, {"a/3", "a/2/*"}},
      {{"a/", "/", "a/2/", true}, {"a/3"}},
      {{"a/", "/", "a/2/", false}, {"a/3", "a/2/*"}},
      {{"a/2/", "2/", ""}, {"a/2/x", "a/2/y"}},
      {{"b", "", "z"}, {}},
      {{"b", "", "a"}, {"b", "b/"}},
      {{"none", "/", ""}, {}},
      {{"", "", "", false, 0}, {}},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Items(ListKeys(index, c.query)), c.items)
        << c.query.prefix << " | " << c.query.delimiter << " | " << c.query.after;
  }
}

TEST(ListKeys, PagesJoinToTheWholeWhateverTheirSize) {
  Strings keys;
  for (int i = 0; i < 40; ++i)
    keys.push_back("k" + std::to_string(i % 7) + "/" + std::to_string(i));
  for (int i = 0; i < 5; ++i) keys.push_back("top" + std::to_string(i));
  const ObjectIndex index = IndexOf(keys);
  for (const char* delimiter : {"", "/"}) {
    ListQuery whole;
    whole.delimiter = delimiter;
    Strings expected = Items(ListKeys(index, whole));
    std::sort(expected.begin(), expected.end());
    for (uint64_t size = 1; size <= 13; ++size) {
      ListQuery query = whole;
      query.max_keys = size;
      query.after_page = true;
      Strings joined;
      ListPage page;
      do {
        page = ListKeys(index, query);
        EXPECT_LE(page.objects.size() + page.prefixes.size(), size);
        for (std::string& item : Items(page)) joined.push_back(std::move(item));
        query.after = page.last;
      } while (page.truncated);
      std::sort(joined.begin(), joined.end());
      EXPECT_EQ(joined, expected) << "pages of " << size << ", delimiter '" << delimiter << "'";
    }
  }
}

TEST(ListKeys, TheLastPageIsNotTruncated) {
  const ObjectIndex index = IndexOf({"a", "b"});
  EXPECT_FALSE(ListKeys(index, {"", "", "", false, 2}).truncated);
  EXPECT_TRUE(ListKeys(index, {"", "", "", false, 1}).truncated);
}

class Tail : public testing::Test {
 protected:
  Result<ObjectMeta> Read(const std::string& bytes) {
    const std::string path = dir_.path() + "/object";
    EXPECT_TRUE(WriteFileAtomic(path, bytes, 0600));
    Result<Fd> fd = OpenFile(path, O_RDONLY);
    EXPECT_TRUE(fd);
    return ReadTail(fd->get(), path);
  }
  TempDir dir_ = *TempDir::Create("tail");
};

TEST_F(Tail, ReadsBackWhatWasWritten) {
  ObjectMeta meta;
  meta.key = std::string("k\0/ü\n", 6);
  meta.etag = "abc-2";
  meta.size = 5;
  meta.modified_ns = 123'456'789;
  meta.headers = {{"content-type", "a/b"}, {"x-amz-meta-empty", ""}};
  const Result<ObjectMeta> read = Read("bytes" + EncodeTail(meta));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->key, meta.key);
  EXPECT_EQ(read->etag, meta.etag);
  EXPECT_EQ(read->size, meta.size);
  EXPECT_EQ(read->modified_ns, meta.modified_ns);
  EXPECT_EQ(read->headers, meta.headers);
}

TEST_F(Tail, RefusesEveryFileThatIsCutOffOrLonger) {
  ObjectMeta meta;
  meta.key = "key";
  meta.size = 5;
  const std::string whole = "bytes" + EncodeTail(meta);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Read(whole.substr(0, size))) << size;
    EXPECT_FALSE(Read(whole.substr(size + 1))) << "without its first bytes, " << size + 1;
  }
  EXPECT_FALSE(Read(whole + "x"));
  EXPECT_FALSE(Read("x" + whole));
}

}  // namespace
}  // namespace llama::emulator
