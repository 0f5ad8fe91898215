// SPDX-License-Identifier: Apache-2.0
#include "extract/face_row.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "extract/test_faces.hpp"

namespace unmask {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::vector<std::string> Cells(std::string line) {
  EXPECT_THAT(line, EndsWith("\r\n"));
  line.resize(line.size() - 2);
  std::vector<std::string> cells;
  std::istringstream stream(line + ",");
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

std::map<std::string, std::string> Row(const CutFace& face) {
  const auto names = Cells(FaceCsvHeader());
  const auto cells = Cells(FaceCsvRow(face, FactsOf('a'), "blazeface", "train/real/a.jpg"));
  EXPECT_EQ(names.size(), cells.size());
  std::map<std::string, std::string> row;
  for (std::size_t i = 0; i < std::min(names.size(), cells.size()); ++i) row[names[i]] = cells[i];
  return row;
}

TEST(FaceRow, SaysAllOfAFace) {
  auto row = Row(FaceAt(50));
  EXPECT_EQ(row["id"], "aaaaaaaaaaaaaaaa-t01-f000050");
  EXPECT_EQ(row["path"], "train/real/a.jpg");
  EXPECT_EQ(row["label"], "real");
  EXPECT_EQ(row["group"], "aaaaaaaaaaaaaaaa");
  EXPECT_EQ(row["split"], "train");
  EXPECT_EQ(row["source"], "videos/a.mp4");
  EXPECT_EQ(row["source_sha256"], std::string(64, 'a'));
  EXPECT_EQ(row["track"], "1");
  EXPECT_EQ(row["frame"], "50");
  EXPECT_EQ(row["time"], "2");
  EXPECT_EQ(row["face_x"], "100");
  EXPECT_EQ(row["face_h"], "60");
  EXPECT_EQ(row["detector"], "blazeface");
  EXPECT_EQ(row["detector_score"], "0.9");
  EXPECT_EQ(row["size"], "40");
  EXPECT_EQ(row["yaw"], "1.2");
  EXPECT_EQ(row["codes"], "small");
  EXPECT_EQ(row["crop_x"], "90");
  EXPECT_EQ(row["crop_y"], "55");
  EXPECT_EQ(row["crop_side"], "60");
  EXPECT_EQ(row["saved_side"], "30");
}

TEST(FaceRow, GivesLandmarksInThePictureAndInTheSavedCrop) {
  auto row = Row(FaceAt(0));
  EXPECT_EQ(row["left_eye_x"], "130");
  EXPECT_EQ(row["left_eye_y"], "70");
  EXPECT_EQ(row["crop_left_eye_x"], "20") << "(130 - 90) at half the scale";
  EXPECT_EQ(row["crop_left_eye_y"], "7.5");
}

TEST(FaceRow, LeavesLandmarksEmptyWhenTheDetectorHasNone) {
  CutFace face = FaceAt(0);
  face.face.landmarks.reset();
  auto row = Row(face);
  EXPECT_EQ(row["nose_x"], "");
  EXPECT_EQ(row["crop_mouth_y"], "");
  EXPECT_EQ(row["detector"], "blazeface");
}

TEST(FaceRow, QuotesWhatAPathMayHold) {
  SourceFacts facts = FactsOf('a');
  facts.name = "a, \"b\"\n.mp4";
  const std::string line = FaceCsvRow(FaceAt(0), facts, "haar", "p");
  EXPECT_THAT(line, HasSubstr(R"(,"a, ""b""\n.mp4",)"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(FaceRow, JoinsSeveralCodes) {
  CutFace face = FaceAt(0);
  face.quality.codes = {"small", "dark"};
  EXPECT_EQ(Row(face)["codes"], "small dark");
}

}  // namespace
}  // namespace unmask
