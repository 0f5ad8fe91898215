// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/mtcnn/mtcnn.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/id.hpp"

namespace unmask::compat {
namespace {

namespace fs = std::filesystem;

const fs::path kThirdParty = UNMASK_SOURCE_DIR "/third_party";

struct Case {
  cv::Rect cut;  ///< of the portrait
  cv::Size size;
  int copies = 1;  ///< side by side
  std::vector<MtcnnFace> faces;
};

// Recorded from mtcnn 0.1.1 by tests/compat/record/mtcnn_faces.py.
const Case kRecorded[] = {
    {{0, 0, 512, 512}, {512, 512}, 1, {{{182, 61, 86, 111}, 0.999495}}},
    {{0, 0, 512, 300}, {1280, 750}, 1, {}},
    {{140, 20, 180, 220}, {180, 220}, 1, {{{42, 41, 85, 111}, 0.997673}}},
    {{100, 0, 300, 200},
     {300, 200},
     3,
     {{{79, 61, 90, 111}, 0.999191}, {{381, 60, 88, 113}, 0.998578}, {{681, 64, 85, 107}, 0.996933}}},
    {{200, 70, 312, 300}, {312, 300}, 1, {{{0, 0, 74, 102}, 0.948390}}},
    {{100, 0, 300, 200}, {90, 60}, 1, {{{24, 20, 25, 30}, 0.990172}}},
    {{300, 300, 200, 200}, {200, 200}, 1, {}},
    {{0, 0, 512, 512}, {19, 19}, 1, {}},
};

TEST(Mtcnn, FindsWhatThePackageFinds) {
  const auto mtcnn = Mtcnn::Load(kThirdParty / "detectors", {.threads = 1, .throughput = false});
  ASSERT_TRUE(mtcnn) << mtcnn.error().message;
  const cv::Mat portrait = cv::imread(kThirdParty / "test_media/astronaut.png");
  for (const auto& [cut, size, copies, expected] : kRecorded) {
    cv::Mat picture, tile;
    cv::resize(portrait(cut), tile, size);
    cv::repeat(tile, 1, copies, picture);
    const auto found = (*mtcnn)->Find(picture);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), expected.size()) << cut;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ((*found)[i].box, expected[i].box) << cut;
      EXPECT_NEAR((*found)[i].score, expected[i].score, 1e-4) << cut;
    }
  }
}

TEST(Mtcnn, SaysThatAFileIsAbsentOrAnotherOne) {
  EXPECT_EQ(Mtcnn::Load("/none", {}).error().code, ErrorCode::kNotFound);
  const auto folder = fs::path(testing::TempDir()) / ("mtcnn-" + NewTraceId());
  fs::create_directory(folder);
  std::ofstream(folder / "mtcnn_pnet.xml") << "<net/>";
  const auto made = Mtcnn::Load(folder, {});
  fs::remove_all(folder);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInternal);
  EXPECT_THAT(made.error().message, testing::HasSubstr("sha256"));
}

}  // namespace
}  // namespace unmask::compat
