// SPDX-License-Identifier: Apache-2.0
// The same crop must give the same logit here and where training/ wrote the expected values (golden.json):
// PyTorch's in fp32, or those of the network itself where it is in int8.
#include "model/golden.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "base/file.hpp"
#include "model/repository.hpp"
#include "model/scorer.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kSource = UNMASK_SOURCE_DIR;

cv::Mat CropOf(const json& item) {
  const std::vector<int> rect = item.at("rect");
  if (item.at("source") == "synthetic") return GoldenPicture(rect[2], rect[3]);
  const cv::Mat picture =
      cv::imread((kSource / "third_party/test_media" / item.at("source").get<std::string>()).string());
  return picture.empty() ? picture : picture(cv::Rect(rect[0], rect[1], rect[2], rect[3]));
}

/// Each version that is shipped, so that an older one stays loadable.
TEST(FaceModel, GivesTheLogitsOfItsTraining) {
  const auto cards = ModelRepository(kSource / "models").List();
  ASSERT_TRUE(cards) << cards.error().message;
  ASSERT_FALSE(cards->empty());
  for (const ModelCard& card : *cards) {
    SCOPED_TRACE(card.folder.string());
    const auto scorer = Scorer::Load(card, {});
    ASSERT_TRUE(scorer) << scorer.error().message;
    const json golden = json::parse(ReadSmallFile(card.folder / "golden.json").value());
    ASSERT_GE(golden.at("cases").size(), 5u);
    const bool int8 = fs::exists(card.folder / "golden-fp32.json");
    ASSERT_LE(golden.at("tolerance").get<double>(), int8 ? 0.05 : 0.02);
    for (const json& item : golden.at("cases")) {
      const cv::Mat crop = CropOf(item);
      ASSERT_FALSE(crop.empty()) << "run tools/setup.sh --tests for " << item.at("source");
      const std::vector<PreparedFace> prepared = {(*scorer)->Prepare(crop)};
      const auto scores = (*scorer)->Start(prepared).get();
      ASSERT_TRUE(scores) << scores.error().message;
      EXPECT_NEAR((*scores)[0].logit, item.at("logit").get<double>(), golden.at("tolerance").get<double>())
          << item.at("name");
      EXPECT_EQ((*scores)[0].members[0].mask.size(),
                static_cast<std::size_t>(card.mask.width * card.mask.height));
    }
  }
}

}  // namespace
}  // namespace unmask
