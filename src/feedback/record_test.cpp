// SPDX-License-Identifier: Apache-2.0
#include "feedback/record.hpp"

#include <gtest/gtest.h>

#include "feedback/test_feedback.hpp"

namespace unmask {
namespace {

std::string Complaint(const std::string& json) {
  const auto wish = ReadFeedbackWish(json);
  return wish ? "" : wish.error().message;
}

TEST(FeedbackWish, TakesTheLabelAloneAndAllThatMayBeSaid) {
  const auto least = ReadFeedbackWish(R"({"label": "unsure"})");
  ASSERT_TRUE(least);
  EXPECT_EQ(least->label, FeedbackLabel::kUnsure);
  EXPECT_FALSE(least->keep_faces);
  const auto all = ReadFeedbackWish(R"({"label": "fake", "track": 2, "note": "the mouth", "keep_faces": true,
                                        "evidence_url": "https://example.org/a?b=1"})");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->label, FeedbackLabel::kManipulated);
  EXPECT_EQ(all->track, 2);
  EXPECT_EQ(all->note, "the mouth");
  EXPECT_EQ(all->keep_faces, true);
  EXPECT_TRUE(ReadFeedbackWish(R"({"label":"real","track":null,"note":null,"keep_faces":null})"));
}

TEST(FeedbackWish, SaysWhatIsWrong) {
  EXPECT_EQ(Complaint("nothing"), "the body is not a JSON object");
  EXPECT_EQ(Complaint("[]"), "the body is not a JSON object");
  EXPECT_EQ(Complaint("{}"), "label is missing (expected real, fake or unsure)");
  for (const char* label : {"\"manipulated\"", "null", "1", "\"\""})
    EXPECT_EQ(Complaint(std::string(R"({"label":)") + label + "}"), "label must be real, fake or unsure");
  for (const char* track : {"0", "-1", "1.5", "\"1\"", "9999999999"})
    EXPECT_NE(Complaint(std::string(R"({"label":"real","track":)") + track + "}").find("track must be"),
              std::string::npos);
  EXPECT_EQ(Complaint(R"({"label":"real","notes":"x"})"), "unknown member 'notes'");
  EXPECT_EQ(Complaint(R"({"label":"real","keep_faces":1})"), "keep_faces must be true or false");
  const std::string most(2000, 'n');
  EXPECT_EQ(Complaint(R"({"label":"real","note":")" + most + "\"}"), "");
  EXPECT_EQ(Complaint(R"({"label":"real","note":")" + most + "n\"}"),
            "note must be a text of at most 2000 bytes");
  for (const char* url : {"javascript:alert(1)", "ftp://example.org", "https://a b", "/etc/passwd"})
    EXPECT_NE(
        Complaint(std::string(R"({"label":"real","evidence_url":")") + url + "\"}").find("evidence_url"),
        std::string::npos);
}

TEST(Agrees, IsOpenWhenOneDoesNotCommitItself) {
  EXPECT_EQ(Agrees(FeedbackLabel::kManipulated, Verdict::kManipulated), true);
  EXPECT_EQ(Agrees(FeedbackLabel::kAuthentic, Verdict::kNoManipulationFound), true);
  EXPECT_EQ(Agrees(FeedbackLabel::kAuthentic, Verdict::kManipulated), false);
  EXPECT_EQ(Agrees(FeedbackLabel::kManipulated, Verdict::kNoManipulationFound), false);
  EXPECT_EQ(Agrees(FeedbackLabel::kUnsure, Verdict::kManipulated), std::nullopt);
  EXPECT_EQ(Agrees(FeedbackLabel::kAuthentic, Verdict::kInconclusive), std::nullopt);
}

TEST(FeedbackLine, ComesBackAsItWas) {
  FeedbackRecord record = RecordOf("0190-ab", 'c', FeedbackLabel::kManipulated, 3);
  record.wish.note = "two\nlines \"quoted\"";
  record.wish.keep_faces = false;
  record.faces = 4;
  const std::string line = ToLine(record);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto back = ReadLine(line);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(ToLine(*back), line);
  EXPECT_EQ(back->wish.note, record.wish.note);
  EXPECT_EQ(back->wish.track, 3);
  EXPECT_EQ(back->wish.keep_faces, false);
  EXPECT_EQ(back->verdict, Verdict::kManipulated);
  EXPECT_EQ(back->faces, 4u);
}

TEST(FeedbackLine, RefusesWhatIsNone) {
  const std::string line = ToLine(RecordOf("0190-ab", 'c', FeedbackLabel::kAuthentic));
  for (std::size_t size = 0; size < line.size(); ++size) EXPECT_FALSE(ReadLine(line.substr(0, size))) << size;
  for (const char* evil : {"../../etc", "a/b", "", ".", "a b"})
    EXPECT_FALSE(ReadLine(ToLine(RecordOf(evil, 'c', FeedbackLabel::kAuthentic)))) << evil;
  EXPECT_FALSE(ReadLine(ToLine(RecordOf("a", '/', FeedbackLabel::kAuthentic))));
}

}  // namespace
}  // namespace unmask
