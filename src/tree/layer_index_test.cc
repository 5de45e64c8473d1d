#include "tree/layer_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "mirror/merged_tree.h"
#include "tree/tree_testing.h"

namespace llama::tree {
namespace {

Manifest Of(const std::vector<Item>& items) {
  Manifest manifest;
  for (const Item& item : items) manifest[item.path] = item.entry;
  return manifest;
}

class LayerIndexTest : public testing::Test {
 protected:
  LayerIndexTest() { Open(); }
  void Open(const std::string& store_id = "store") {
    index_.reset();
    index_ = *LayerIndex::Open(path(), store_id);
  }
  std::string path() const { return dir_.path() + "/index"; }

  void Add(const std::string& key, const std::vector<Item>& items) {
    const Manifest manifest = Of(items);
    ASSERT_TRUE(index_->Add({key, 1}, manifest));
  }
  // The keys of a list, joined; "!" where a path isn't held.
  std::string Select(const std::vector<Item>& items) {
    const Result<std::vector<LayerRef>> layers = index_->Select(Of(items));
    if (!layers) return "!";
    std::string keys;
    for (const LayerRef& layer : *layers) keys += layer.key;
    return keys;
  }
  size_t MissingCount(const std::vector<Item>& items) { return index_->Missing(Of(items)).size(); }

  TempDir dir_ = *TempDir::Create();
  std::unique_ptr<LayerIndex> index_;
};

TEST_F(LayerIndexTest, MissingIsWhatNoLayerHoldsAsItIs) {
  EXPECT_EQ(MissingCount({F("/a", "1"), D("/d"), L("/l", "x")}), 3u);
  Add("A", {F("/a", "1"), D("/d"), L("/l", "x")});
  EXPECT_EQ(MissingCount({F("/a", "1"), D("/d"), L("/l", "x")}), 0u);
  EXPECT_EQ(MissingCount({F("/a", "2"), L("/l", "y"), F("/d", ""), F("/n", "1")}), 4u);
  EXPECT_EQ(MissingCount({F("/a", "1", true)}), 1u);
  // A directory that is only there because something is in it may not be in the job's layers.
  Add("B", {F("/e/f", "1")});
  EXPECT_EQ(MissingCount({D("/e")}), 1u);
}

TEST_F(LayerIndexTest, SelectTakesOnlyWhatIsNeededInOrder) {
  Add("A", {F("/a", "1")});
  Add("B", {F("/b", "1")});
  Add("C", {F("/c", "1")});
  EXPECT_EQ(Select({F("/c", "1"), F("/a", "1")}), "AC");
  EXPECT_EQ(Select({}), "");
  const Result<std::vector<LayerRef>> failed = index_->Select(Of({F("/a", "1"), F("/z", "1")}));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kNotFound);
  EXPECT_NE(failed.error().message.find("/z"), std::string::npos);
}

TEST_F(LayerIndexTest, NoListShowsAStaleVersion) {
  Add("A", {F("/a", "1"), F("/b", "1"), F("/c", "1")});
  Add("B", {F("/a", "2"), F("/x", "1")});
  Add("C", {F("/a", "3")});
  EXPECT_EQ(Select({F("/b", "1")}), "ABC");
  EXPECT_EQ(Select({F("/x", "1")}), "BC");
  EXPECT_EQ(Select({F("/a", "3")}), "C");
  EXPECT_EQ(Select({F("/a", "1")}), "!");
}

TEST_F(LayerIndexTest, WhollySupersededLayersAreDropped) {
  Add("A", {F("/a", "1"), F("/b", "1")});
  for (int i = 0; i < 100; ++i) Add("B" + std::to_string(i), {F("/a", std::to_string(i))});
  EXPECT_EQ(index_->layer_count(), 2u);
  EXPECT_EQ(Select({F("/b", "1")}), "AB99");
}

TEST_F(LayerIndexTest, AVersionMayComeBack) {
  Add("A", {F("/a", "1")});
  Add("B", {F("/a", "2"), F("/b", "1")});
  EXPECT_EQ(MissingCount({F("/a", "1")}), 1u);
  Add("A", {F("/a", "1")});
  EXPECT_EQ(Select({F("/a", "1")}), "A");
  EXPECT_EQ(Select({F("/b", "1")}), "BA");
}

TEST_F(LayerIndexTest, TwoJobsMayAddTheSameLayer) {
  Add("A", {F("/a", "1")});
  Add("B", {F("/a", "1"), F("/b", "1")});
  Add("B", {F("/a", "1"), F("/b", "1")});
  EXPECT_EQ(index_->layer_count(), 1u);
  EXPECT_EQ(Select({F("/b", "1")}), "B");
}

TEST_F(LayerIndexTest, DeletedFilesAreHiddenFromListsThatShowThem) {
  Add("A", {F("/a", "1"), F("/b", "1")});
  EXPECT_EQ(MissingCount({Gone("/a")}), 1u);
  EXPECT_EQ(MissingCount({Gone("/never-there")}), 0u);
  Add("B", {Gone("/a")});
  EXPECT_EQ(MissingCount({Gone("/a")}), 0u);
  EXPECT_EQ(Select({F("/b", "1"), Gone("/a")}), "AB");
  // Nobody shows it, nobody need hide it.
  EXPECT_EQ(Select({Gone("/a")}), "");
  EXPECT_EQ(MissingCount({F("/a", "1")}), 1u);
  // Of a directory: what is in it.
  Add("C", {F("/d/x", "1")});
  EXPECT_EQ(MissingCount({Gone("/d")}), 1u);
  Add("D", {Gone("/d")});
  EXPECT_EQ(MissingCount({Gone("/d")}), 0u);
  EXPECT_EQ(MissingCount({F("/d/x", "1")}), 1u);
}

TEST_F(LayerIndexTest, ShownIsWhatAJobOfTheseLayersSees) {
  Add("A", {F("/a", "1"), F("/d/x", "1"), L("/l", "a"), L("/t", "d")});
  const std::vector<LayerRef> a = *index_->Select(Of({F("/a", "1")}));
  const auto shown = [&](const std::string& path) -> std::string {
    const Manifest found = index_->Shown(a, {path});
    if (found.empty()) return "";
    switch (found.at(path).type) {
      case EntryType::kFile:
        return "file";
      case EntryType::kSymlink:
        return "link";
      case EntryType::kDir:
        return "folder";
      case EntryType::kAbsent:
        return "not certain";
    }
    return "?";
  };
  EXPECT_EQ(shown("/a"), "file");
  EXPECT_EQ(shown("/l"), "link");
  EXPECT_EQ(shown("/d"), "folder") << "for what is in it";
  EXPECT_EQ(shown("/never-there"), "");
  Add("B", {F("/a", "2"), F("/t/y", "1")});
  EXPECT_EQ(shown("/a"), "not certain");
  EXPECT_EQ(shown("/t"), "not certain");
  EXPECT_EQ(shown("/d/x"), "file");
  ASSERT_TRUE(index_->Forget("A"));
  EXPECT_EQ(shown("/d/x"), "not certain") << "the job had it, whoever forgot";
}

TEST_F(LayerIndexTest, AFileInADirectorysPlaceSupersedesWhatWasBelow) {
  Add("A", {F("/d/x", "1"), F("/d/e/y", "1"), F("/o", "1")});
  Add("B", {L("/d", "elsewhere")});
  EXPECT_EQ(MissingCount({F("/d/x", "1"), F("/d/e/y", "1")}), 2u);
  EXPECT_EQ(Select({F("/o", "1")}), "AB");
  // And back: the link is superseded by what is below it now.
  Add("C", {F("/d/x", "1")});
  EXPECT_EQ(MissingCount({L("/d", "elsewhere")}), 1u);
  EXPECT_EQ(MissingCount({F("/d/e/y", "1")}), 1u);
  // B still hides /d/e/y of A.
  EXPECT_EQ(Select({F("/o", "1")}), "ABC");
}

TEST_F(LayerIndexTest, ForgettingALayerMakesItsEntriesMissing) {
  Add("A", {F("/a", "1"), F("/b", "1")});
  Add("B", {F("/a", "2"), F("/c", "1")});
  ASSERT_TRUE(index_->Forget("unknown"));
  ASSERT_TRUE(index_->Forget("B"));
  EXPECT_EQ(index_->layer_count(), 1u);
  EXPECT_EQ(MissingCount({F("/c", "1"), F("/a", "2"), F("/b", "1")}), 2u);
  EXPECT_EQ(Select({F("/b", "1")}), "A");
  Add("B", {F("/a", "2"), F("/c", "1")});
  EXPECT_EQ(Select({F("/b", "1")}), "AB");
}

TEST_F(LayerIndexTest, RepackingShortensALongList) {
  Manifest wanted;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "/" + std::to_string(i);
    Add("L" + std::to_string(i), {F(name, name)});
    wanted[name] = File(name);
  }
  const std::vector<LayerRef> list = *index_->Select(wanted);
  ASSERT_GT(list.size(), kLongList);
  for (const LayerRef& layer : list) ASSERT_TRUE(index_->Forget(layer.key));
  const Manifest missing = index_->Missing(wanted);
  EXPECT_EQ(missing, wanted);
  ASSERT_TRUE(index_->Add({"all", 1}, missing));
  EXPECT_EQ(index_->Select(wanted)->size(), 1u);
}

TEST_F(LayerIndexTest, RefusesManifestsThatNoLayerCanHold) {
  EXPECT_EQ(index_->Add({"A", 1}, {{"/a/../b", Dir()}}).error().code, Code::kInvalid);
  EXPECT_EQ(index_->layer_count(), 0u);
}

// The invariants against a plain model: through a list made now, every path has its newest version
// or none, whatever the history.
TEST_F(LayerIndexTest, RandomHistoriesKeepTheInvariants) {
  const std::string paths[] = {"/a", "/b", "/d", "/d/x", "/d/y", "/d/e", "/d/e/z", "/f", "/f/g"};
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::unique_ptr<LayerIndex> index = *LayerIndex::Open("", "");
    std::map<std::string, Manifest> layers;
    mirror::MergedTree newest;  // all layers on top of each other
    std::vector<std::unique_ptr<Manifest>> kept;
    for (int step = 0; step < 12; ++step) {
      Manifest manifest;
      for (const std::string& path : paths) {
        if (random() % 3 != 0) continue;
        const Entry choices[] = {File(std::to_string(random() % 3)), Link("t"), Dir(), Absent()};
        manifest[path] = choices[random() % 4];
        if (!CheckManifest(manifest)) manifest.erase(path);
      }
      const std::string key = std::to_string(step);
      layers[key] = manifest;
      ASSERT_TRUE(index->Add({key, 1}, manifest));
      kept.push_back(std::make_unique<Manifest>(manifest));
      newest.Apply(*kept.back());
      for (const std::string& path : paths) {
        const Entry* now = newest.Find(path);
        if (now == nullptr) continue;
        const Manifest wanted = {{path, *now}};
        const Result<std::vector<LayerRef>> list = index->Select(wanted);
        if (!list) continue;  // a directory without an entry of its own
        mirror::MergedTree shown;
        for (const LayerRef& layer : *list) shown.Apply(layers.at(layer.key));
        ASSERT_NE(shown.Find(path), nullptr) << seed << " " << path;
        EXPECT_EQ(*shown.Find(path), *now) << seed << " " << path;
        shown.ForEach([&](std::string_view other, const Entry& entry) {
          const Entry* truth = newest.Find(other);
          ASSERT_NE(truth, nullptr) << seed << " " << other;
          EXPECT_EQ(entry, *truth) << seed << " " << other;
        });
        for (size_t i = 1; i < list->size(); ++i) {
          EXPECT_LT(std::stoi((*list)[i - 1].key), std::stoi((*list)[i].key));
        }
      }
    }
  }
}

TEST_F(LayerIndexTest, SurvivesRestarts) {
  Add("A", {F("/a", "1"), L("/l", "a")});
  Add("B", {F("/b", "1")});
  Add("C", {F("/a", "2")});
  ASSERT_TRUE(index_->Forget("B"));
  Open();
  EXPECT_EQ(index_->layer_count(), 2u);
  EXPECT_EQ(Select({L("/l", "a")}), "AC");
  EXPECT_EQ(MissingCount({F("/b", "1")}), 1u);
  Add("D", {F("/b", "1")});
  Open();
  EXPECT_EQ(Select({F("/b", "1"), L("/l", "a")}), "ACD");
}

TEST_F(LayerIndexTest, ADamagedTailIsCutOffAndWrittenOn) {
  Add("A", {F("/a", "1")});
  const std::string with_a = *ReadFile(path());
  Add("B", {F("/b", "1")});
  const std::string with_b = *ReadFile(path());
  for (size_t size = with_a.size(); size < with_b.size(); ++size) {
    ASSERT_TRUE(WriteFileAtomic(path(), with_b.substr(0, size), 0600));
    Open();
    EXPECT_EQ(Select({F("/a", "1")}), "A") << size;
    EXPECT_EQ(MissingCount({F("/b", "1")}), 1u) << size;
    Add("C", {F("/c", "1")});
    Open();
    EXPECT_EQ(Select({F("/a", "1"), F("/c", "1")}), "AC") << size;
  }
  for (size_t at = 0; at < with_b.size(); ++at) {
    std::string damaged = with_b;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    ASSERT_TRUE(WriteFileAtomic(path(), damaged, 0600));
    Open();
    EXPECT_EQ(MissingCount({F("/b", "1")}), 1u) << at;
    EXPECT_EQ(MissingCount({F("/a", "1")}), at < with_a.size() ? 1u : 0u) << at;
  }
}

TEST_F(LayerIndexTest, AnotherStoresFileIsSetAside) {
  Add("A", {F("/a", "1")});
  const std::string mine = *ReadFile(path());
  Open("another");
  EXPECT_EQ(index_->layer_count(), 0u);
  EXPECT_EQ(*ReadFile(path() + ".old"), mine);
  Add("B", {F("/b", "1")});
  Open("another");
  EXPECT_EQ(Select({F("/b", "1")}), "B");
}

TEST_F(LayerIndexTest, TheLogShrinksWhenMostOfItIsDead) {
  std::string filler(2000, 'x');
  size_t biggest = 0;
  Add("A", {F("/keep", "1")});
  for (int i = 0; i < 500; ++i) {
    Add("B" + std::to_string(i), {F("/a", std::to_string(i)), L("/l", filler)});
    biggest = std::max(biggest, ReadFile(path())->size());
  }
  EXPECT_LT(biggest, 100'000u);
  Open();
  EXPECT_EQ(Select({F("/keep", "1"), F("/a", "499")}), "AB499");
}

TEST_F(LayerIndexTest, ServesManyThreads) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string own = "/" + std::to_string(t) + "/" + std::to_string(i);
        const Manifest wanted = {{own, File(own)}};
        if (index_->Missing(wanted).size() != 1) ++wrong;
        if (!index_->Add({own, 1}, wanted)) ++wrong;
        if (!index_->Select(wanted)) ++wrong;
        if (i % 10 == 0 && !index_->Forget(own)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(index_->layer_count(), 4u * 45);
}

}  // namespace
}  // namespace llama::tree
