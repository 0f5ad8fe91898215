// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/chunk_assembly.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

using testing::HasSubstr;

ChunkId Number(long double number, std::string type = "int") {
  return {ChunkId::Kind::kNumber, number, "", std::move(type)};
}
ChunkId Text(std::string text) { return {ChunkId::Kind::kText, 0, std::move(text), "str"}; }
ChunkId None() { return {ChunkId::Kind::kNone, 0, "", "NoneType"}; }

class ChunkAssemblyTest : public testing::Test {
 protected:
  /// The decoded bytes, or "!" and the error.
  std::string Joined() {
    const auto file = assembly_.Join();
    return file ? *ReadSmallFile(file->path()) : "!" + file.error().message;
  }
  void Add(ChunkId id, std::string_view text) { ASSERT_TRUE(assembly_.Add(std::move(id), text)); }

  ByteBudget total_{1000};
  ChunkAssembly assembly_{testing::TempDir(), total_, {.max_bytes = 100, .max_chunks = 20, .max_id = 8}};
};

TEST_F(ChunkAssemblyTest, JoinsByRisingNumberNotByArrival) {
  Add(Number(10), "hJ");
  Add(Number(9), "REVGR0");
  Add(Number(-1), "QUJD");
  EXPECT_EQ(assembly_.count(), 3U);
  EXPECT_EQ(Joined(), "ABCDEFGHI");
}

TEST_F(ChunkAssemblyTest, JoinsBeyondHoles) {
  Add(Number(0), "QUJD");
  Add(Number(7), "REVG");
  EXPECT_EQ(Joined(), "ABCDEF");
}

TEST_F(ChunkAssemblyTest, SortsTextAsText) {
  Add(Text("10"), "QUJD");
  Add(Text("9"), "REVG");
  EXPECT_EQ(Joined(), "ABCDEF");
}

TEST_F(ChunkAssemblyTest, ReplacesARepeatedId) {
  Add(Number(0), "QUJD");
  Add(Number(1), "REVG");
  Add(Number(0, "float"), "R0hJ");
  EXPECT_EQ(assembly_.count(), 2U);
  EXPECT_EQ(Joined(), "GHIDEF");
}

TEST_F(ChunkAssemblyTest, TellsNumbersFromTextThatLooksLikeThem) {
  Add(Number(1), "QUJD");
  Add(Text("1"), "REVG");
  EXPECT_EQ(assembly_.count(), 2U);
  EXPECT_EQ(Joined(), "!'<' not supported between instances of 'str' and 'int'");
}

TEST_F(ChunkAssemblyTest, NamesTheFirstIdsThatDoNotCompare) {
  Add(Text("b"), "QUJD");
  Add(Text("a"), "QUJD");
  Add(None(), "REVG");
  Add(Number(0.5, "float"), "REVG");
  EXPECT_EQ(Joined(), "!'<' not supported between instances of 'NoneType' and 'str'");
}

TEST_F(ChunkAssemblyTest, TakesNoneAloneAsAnId) {
  Add(None(), "QUJD");
  EXPECT_EQ(Joined(), "ABC");
}

TEST_F(ChunkAssemblyTest, KeepsWhatStandsBetweenTheFirstTwoCommas) {
  Add(Number(0), "data:video/mp4;base6");
  Add(Number(1), "4,QU");
  Add(Number(2), "JD,REVG,");
  EXPECT_EQ(Joined(), "ABC");
}

TEST_F(ChunkAssemblyTest, KeepsAllBehindASingleComma) {
  Add(Number(0), "data:;base64,");
  Add(Number(1), "QUJD");
  EXPECT_EQ(Joined(), "ABC");
}

TEST_F(ChunkAssemblyTest, DecodesTheJoinedTextAndNotEachPiece) {
  Add(Number(0), "QQ==");
  Add(Number(1), "QUJD");
  EXPECT_EQ(Joined(), "A") << "a client that encodes every slice loses all but the first";
}

TEST_F(ChunkAssemblyTest, FailsForBadBase64InPythonsWords) {
  Add(Number(0), "QUJ");
  EXPECT_EQ(Joined(), "!Incorrect padding");
}

TEST_F(ChunkAssemblyTest, OverlooksForeignTextInTheDroppedPrefix) {
  Add(Number(0), "\xc3\xa9,QUJD");
  EXPECT_EQ(Joined(), "ABC");
  Add(Number(1), "\xc3\xa9");
  EXPECT_EQ(Joined(), "!string argument should contain only ASCII characters");
}

TEST_F(ChunkAssemblyTest, NamesThePieceThatIsNotText) {
  Add(Number(5), "QUJD");
  ASSERT_TRUE(assembly_.AddOther(Number(2), "bytes"));
  ASSERT_TRUE(assembly_.AddOther(Number(7), "int"));
  EXPECT_EQ(Joined(), "!sequence item 0: expected str instance, bytes found");
  Add(Number(2), "QUJD");
  EXPECT_EQ(Joined(), "!sequence item 2: expected str instance, int found");
}

TEST_F(ChunkAssemblyTest, FailsWithoutChunks) { EXPECT_THAT(Joined(), HasSubstr("no chunks")); }

TEST_F(ChunkAssemblyTest, RefusesMoreTextThanTheLimitAndKeepsWhatItHas) {
  Add(Number(0), std::string(96, 'A'));
  const auto added = assembly_.Add(Number(1), "AAAAA");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(added.error().limit, "upload_bytes");
  EXPECT_EQ(assembly_.count(), 1U);
  EXPECT_EQ(Joined(), std::string(72, '\0'));
}

TEST_F(ChunkAssemblyTest, RefusesTooManyChunksAndTooLongIds) {
  for (int i = 0; i < 20; ++i) Add(Number(i), "A");
  EXPECT_EQ(assembly_.Add(Number(20), "A").error().limit, "chunks");
  EXPECT_TRUE(assembly_.Add(Number(3), "B")) << "a repeated id is not one more";
  EXPECT_EQ(assembly_.Add(Text("123456789"), "A").error().limit, "chunk_id_bytes");
}

TEST_F(ChunkAssemblyTest, SharesOneBudgetAndGivesItBack) {
  ByteBudget total(10);
  {
    ChunkAssembly first(testing::TempDir(), total);
    ASSERT_TRUE(first.Add(Number(0), "12345678"));
    ChunkAssembly second(testing::TempDir(), total);
    const auto refused = second.Add(Number(0), "123");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  }
  EXPECT_TRUE(total.Take(10));
  EXPECT_FALSE(total.Take(1));
}

}  // namespace
}  // namespace unmask::compat
