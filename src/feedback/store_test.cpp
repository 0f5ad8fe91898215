// SPDX-License-Identifier: Apache-2.0
#include "feedback/store.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "feedback/test_feedback.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kPlenty = 1 << 30;

class Store : public testing::Test {
 protected:
  std::unique_ptr<FeedbackStore> Open(std::uint64_t most = kPlenty) {
    auto store = FeedbackStore::Open(path_, most);
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }
  std::vector<std::string> NamesOfFaces() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_ / "faces"))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  const FeedbackFolder folder_;
  const fs::path path_ = folder_.path() / "feedback";
};

TEST_F(Store, KeepsRecordsOverARestartInTheirOrder) {
  auto one = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
  auto two = RecordOf("a1", '1', FeedbackLabel::kManipulated);
  ASSERT_TRUE(Open()->Add(one, nullptr));
  ASSERT_TRUE(Open()->Add(two, nullptr));
  const auto log = ReadFeedbackLog(path_).value();
  ASSERT_EQ(log.records.size(), 2u);
  EXPECT_EQ(log.damaged, 0u);
  EXPECT_EQ(log.records[0].id, one.id);
  EXPECT_EQ(log.records[1].wish.label, FeedbackLabel::kManipulated);
}

TEST_F(Store, KeepsTheFacesOfEachPersonAsTheyWere) {
  auto record = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
  const auto faces = FacesOf({{1, "first"}, {1, "second"}, {2, "third"}});
  ASSERT_TRUE(Open()->Add(record, &faces));
  EXPECT_EQ(record.faces, 3u);
  EXPECT_EQ(ReadFeedbackLog(path_)->records.at(0).faces, 3u);
  EXPECT_THAT(NamesOfFaces(), ElementsAre("a1-t01", "a1-t02"));
  EXPECT_THAT(KeptTracks(path_, "a1"), ElementsAre(1, 2));
  EXPECT_THAT(KeptTracks(path_, "a"), IsEmpty());
  const auto back = ReadKeptFaces(path_, "a1", 1).value();
  ASSERT_EQ(back.faces.size(), 2u);
  EXPECT_EQ(back.detector, "blazeface");
  EXPECT_EQ(back.crop.scale, 0.97);
  EXPECT_EQ(back.crop.side_of, CropRule::SideOf::kGeometricMean);
  EXPECT_EQ(back.faces[1].jpeg, "second");
  const KeptFace &face = back.faces[1].facts, &before = faces.faces[1].facts;
  EXPECT_EQ(face.frame, before.frame);
  EXPECT_EQ(face.box, before.box);
  EXPECT_EQ(face.landmarks, before.landmarks);
  EXPECT_EQ(face.quality.codes, before.quality.codes);
  EXPECT_EQ(face.crop_side, 60);
  EXPECT_EQ(face.picture.width, 60);
}

TEST_F(Store, IsTheOwnersAlone) {
  const mode_t mask = ::umask(0);
  auto record = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
  const auto faces = FacesOf({{1, "face"}});
  ASSERT_TRUE(Open()->Add(record, &faces));
  ::umask(mask);
  for (const auto& entry : fs::recursive_directory_iterator(path_))
    EXPECT_EQ(entry.status().permissions() & fs::perms(0077), fs::perms::none) << entry.path();
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms(0700));
}

TEST_F(Store, RefusesAFolderThatOthersMayWrite) {
  fs::create_directory(path_);
  fs::permissions(path_, fs::perms(0777));
  const auto store = FeedbackStore::Open(path_, kPlenty);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kForbidden);
  EXPECT_NE(store.error().hint.find("chmod 700"), std::string::npos);
}

TEST_F(Store, RefusesWhatIsNoFolder) {
  std::ofstream(path_) << "";
  EXPECT_EQ(FeedbackStore::Open(path_, kPlenty).error().code, ErrorCode::kUnreadable);
  EXPECT_EQ(FeedbackStore::Open(path_ / "none" / "deeper", kPlenty).error().code, ErrorCode::kUnreadable);
}

TEST_F(Store, RepeatedFeedbackKeepsTheFacesOnce) {
  const auto store = Open();
  const auto faces = FacesOf({{1, "face"}});
  for (int i = 0; i < 2; ++i) {
    auto record = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
    ASSERT_TRUE(store->Add(record, &faces));
    EXPECT_EQ(record.faces, 1u);
  }
  EXPECT_THAT(NamesOfFaces(), ElementsAre("a1-t01"));
}

TEST_F(Store, RemovesFacesOfOnePersonOrAll) {
  const auto store = Open();
  const auto faces = FacesOf({{1, "a"}, {2, "b"}, {3, "c"}});
  auto record = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
  auto other = RecordOf("a2", '2', FeedbackLabel::kAuthentic);
  ASSERT_TRUE(store->Add(record, &faces));
  ASSERT_TRUE(store->Add(other, &faces));
  ASSERT_TRUE(store->RemoveFaces("a1", 2));
  EXPECT_THAT(KeptTracks(path_, "a1"), ElementsAre(1, 3));
  ASSERT_TRUE(store->RemoveFaces("a1", {}));
  EXPECT_THAT(KeptTracks(path_, "a1"), IsEmpty());
  EXPECT_EQ(KeptTracks(path_, "a2").size(), 3u);
  EXPECT_EQ(ReadFeedbackLog(path_)->records.size(), 2u) << "what was said stays";
}

TEST_F(Store, GrowsToItsLimitAndNoFurtherAlsoAfterARestart) {
  auto record = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
  const auto faces = FacesOf({{1, std::string(5000, 'x')}});
  ASSERT_TRUE(Open(8000)->Add(record, &faces));
  const auto store = Open(8000);
  auto next = RecordOf("a2", '2', FeedbackLabel::kAuthentic);
  const auto full = store->Add(next, &faces);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(full.error().limit, "feedback_bytes");
  EXPECT_THAT(KeptTracks(path_, "a2"), IsEmpty());
  EXPECT_EQ(ReadFeedbackLog(path_)->records.size(), 1u);
  ASSERT_TRUE(store->RemoveFaces("a1", {}));
  EXPECT_TRUE(store->Add(next, &faces)) << "there is room again";
}

TEST_F(Store, LeavesNothingBehindWhenTheDiskIsFull) {
  const auto store = Open();
  auto record = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
  const auto faces = FacesOf({{1, "small"}, {2, std::string(100'000, 'x')}});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit little{.rlim_cur = 50'000, .rlim_max = before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const auto full = store->Add(record, &faces);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kUnreadable);
  EXPECT_THAT(NamesOfFaces(), IsEmpty());
  EXPECT_THAT(ReadFeedbackLog(path_)->records, IsEmpty());
  EXPECT_TRUE(store->Add(record, &faces)) << "and goes on when there is room";
}

TEST_F(Store, TakesItsFacesBackWhenTheLineCannotBeWritten) {
  const auto store = Open();
  fs::remove(path_ / "feedback.jsonl");
  fs::create_directory(path_ / "feedback.jsonl");
  auto record = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
  const auto faces = FacesOf({{1, "face"}});
  EXPECT_EQ(store->Add(record, &faces).error().code, ErrorCode::kUnreadable);
  EXPECT_THAT(NamesOfFaces(), IsEmpty());
}

TEST_F(Store, CountsDamagedLinesAndReadsTheOthers) {
  auto record = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
  ASSERT_TRUE(Open()->Add(record, nullptr));
  std::ofstream(path_ / "feedback.jsonl", std::ios::app) << "{\"schema\": \"unmask.feed";
  ASSERT_TRUE(Open()->Add(record, nullptr));
  const auto log = ReadFeedbackLog(path_).value();
  EXPECT_EQ(log.records.size(), 2u);
  EXPECT_EQ(log.damaged, 1u);
  EXPECT_EQ(ReadFeedbackLog(path_ / "none").error().code, ErrorCode::kNotFound);
}

TEST_F(Store, SaysWhenFacesAreDamaged) {
  auto record = RecordOf("a1", '1', FeedbackLabel::kAuthentic);
  const auto faces = FacesOf({{1, "a"}, {2, "b"}});
  ASSERT_TRUE(Open()->Add(record, &faces));
  std::ofstream(path_ / "faces/a1-t01/faces.json") << "{}";
  fs::remove(path_ / "faces/a1-t02/f000001.jpg");
  EXPECT_EQ(ReadKeptFaces(path_, "a1", 1).error().code, ErrorCode::kInternal);
  EXPECT_EQ(ReadKeptFaces(path_, "a1", 2).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ReadKeptFaces(path_, "a1", 3).error().code, ErrorCode::kNotFound);
}

TEST_F(Store, LosesNothingOfSeveralServersAtOnce) {
  const auto one = Open();
  const auto two = Open();
  std::vector<std::thread> threads;
  for (auto* store : {one.get(), two.get(), one.get(), two.get()})
    threads.emplace_back([store] {
      const auto faces = FacesOf({{1, "face"}});
      for (int i = 0; i < 5; ++i) {
        auto record = RecordOf("a" + std::to_string(i), '1', FeedbackLabel::kAuthentic);
        EXPECT_TRUE(store->Add(record, &faces));
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ReadFeedbackLog(path_)->records.size(), 20u);
  EXPECT_EQ(NamesOfFaces().size(), 5u) << "and no unfinished folder";
}

}  // namespace
}  // namespace unmask
