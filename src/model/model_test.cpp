// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/id.hpp"
#include "base/leak_check_pause.hpp"
#include "model/network.hpp"
#include "model/repository.hpp"
#include "model/scorer.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

const std::string kZeroHash(64, '0');

json GoodCard() {
  return json::parse(R"({
    "schema": "unmask.model/1", "name": "face", "version": 1,
    "network": {"file": "face.xml", "files": {"face.xml": ")" +
                     kZeroHash + R"(", "face.bin": ")" + kZeroHash + R"("}},
    "input": {"name": "image", "layout": "NCHW", "width": 160, "height": 160, "color": "RGB",
              "mean": [127.5, 127.5, 127.5], "scale": [127.5, 127.5, 127.5], "resize": "area"},
    "crop": {"box": "yunet", "side_of": "geometric_mean", "scale": 0.9, "dx": 0.0, "dy": 0.01},
    "output": {"name": "logit", "meaning": "manipulated"},
    "calibration": {"method": "platt", "slope": 1.2, "intercept": -0.3},
    "thresholds": {"manipulated": {"score": 0.9, "fpr": 0.01}, "clear": {"score": 0.4, "fpr": 0.1}},
    "limits": ["Whole-face synthesis is not detected."], "licence": "Apache-2.0"})");
}

std::string ErrorOf(const json& card) {
  const auto parsed = ParseModelCard(card.dump());
  return parsed ? "no error" : parsed.error().message;
}

TEST(ModelCard, ReadsWhatTheFileStates) {
  const auto card = ParseModelCard(GoodCard().dump());
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_EQ(card->name, "face");
  EXPECT_EQ(card->input.width, 160);
  EXPECT_EQ(card->crop.side_of, CropRule::SideOf::kGeometricMean);
  EXPECT_DOUBLE_EQ(card->calibration.slope, 1.2);
  EXPECT_DOUBLE_EQ(card->thresholds.fpr_at_manipulated, 0.01);
  EXPECT_EQ(card->limits.size(), 1u);
}

TEST(ModelCard, NamesTheKeyThatIsMissing) {
  json card = GoodCard();
  card["input"].erase("width");
  EXPECT_THAT(ErrorOf(card), HasSubstr("width"));
}

TEST(ModelCard, ReadsMaskAndTrackPoints) {
  json card = GoodCard();
  card["mask"] = {{"name", "mask"}, {"width", 40}, {"height", 20}, {"meaning", "changed"}};
  card["tracks"] = json::array();
  for (const int faces : {3, 10})
    card["tracks"].push_back({{"faces", faces},
                              {"calibration", {{"slope", 2.0}, {"intercept", -0.5}}},
                              {"thresholds", card["thresholds"]}});
  const auto read = ParseModelCard(card.dump());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->mask.name, "mask");
  EXPECT_EQ(read->mask.width, 40);
  EXPECT_EQ(read->mask.height, 20);
  ASSERT_EQ(read->tracks.size(), 2u);
  EXPECT_EQ(read->tracks[1].faces, 10);
  EXPECT_EQ(read->tracks[1].calibration.slope, 2);
  EXPECT_TRUE(ParseModelCard(GoodCard().dump())->mask.name.empty());
}

TEST(ModelCard, RefusesWhatItWouldMisread) {
  for (const auto& [pointer, value, word] : std::vector<std::tuple<std::string, json, std::string>>{
           {"/schema", "unmask.model/2", "schema"},
           {"/output/meaning", "real", "meaning"},
           {"/crop/box", "blazeface", "crop.box"},
           {"/crop/side_of", "diagonal", "side_of"},
           {"/input/layout", "NHWC", "layout"},
           {"/input/width", 100000, "width"},
           {"/input/scale", {1.0, 0.0, 1.0}, "scale"},
           {"/calibration/slope", -1.0, "slope"},
           {"/thresholds/clear/score", 0.95, "clear"},
           {"/mask", {{"name", "mask"}, {"width", 0}, {"height", 4}, {"meaning", "changed"}}, "mask.width"},
           {"/mask", {{"name", "mask"}, {"width", 4}, {"height", 4}, {"meaning", "kept"}}, "mask.meaning"},
           {"/tracks", {{{"faces", 1}, {"thresholds", GoodCard()["thresholds"]}}}, "tracks"},
           {"/network/file", "other.xml", "network.file"},
           {"/network/files", {{"../x.xml", kZeroHash}}, "plain file name"}}) {
    json card = GoodCard();
    card[json::json_pointer(pointer)] = value;
    EXPECT_THAT(ErrorOf(card), HasSubstr(word)) << pointer;
  }
  EXPECT_FALSE(ParseModelCard("no json"));
}

class RepositoryTest : public testing::Test {
 protected:
  void SetUp() override { root_ = fs::path(testing::TempDir()) / ("unmask-models-" + NewTraceId()); }
  void TearDown() override { fs::remove_all(root_); }

  void Add(int version, const std::string& weights = "weights") {
    const auto folder = root_ / "face" / std::to_string(version);
    fs::create_directories(folder);
    Sha256 hash;
    hash.Update(weights);
    json card = GoodCard();
    card["version"] = version;
    card["network"] = {{"file", "face.onnx"}, {"files", {{"face.onnx", hash.Finish()}}}};
    ASSERT_TRUE(WriteFileAtomically(folder / "face.onnx", weights));
    ASSERT_TRUE(WriteFileAtomically(folder / "model.json", card.dump()));
  }

  fs::path root_;
};

TEST_F(RepositoryTest, FindsTheHighestVersionByNumberAndTheOneAskedFor) {
  for (const int version : {2, 10, 9}) Add(version);
  const ModelRepository repository(root_);
  EXPECT_EQ(repository.Find("face")->version, 10);
  EXPECT_EQ(repository.Find("face:9")->version, 9);
  EXPECT_EQ(repository.List()->size(), 3u);
}

TEST_F(RepositoryTest, SaysWhatThereIsWhenNothingFits) {
  Add(1);
  const ModelRepository repository(root_);
  EXPECT_THAT(repository.Find("voice").error().message, HasSubstr("there is: face"));
  EXPECT_THAT(repository.Find("face:7").error().message, HasSubstr("there is: 1"));
  EXPECT_EQ(repository.Find("face:x").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ModelRepository(root_ / "absent").Find("face").error().code, ErrorCode::kNotFound);
}

TEST_F(RepositoryTest, VerifyNamesTheFileThatWasChanged) {
  Add(1);
  const auto card = ModelRepository(root_).Find("face");
  ASSERT_TRUE(ModelRepository::Verify(*card));
  ASSERT_TRUE(WriteFileAtomically(root_ / "face/1/face.onnx", "tampered"));
  EXPECT_THAT(ModelRepository::Verify(*card).error().message, HasSubstr("face.onnx has the sha256"));
  EXPECT_FALSE(ModelRepository::VerifyNetwork(*card));
}

TEST_F(RepositoryTest, RefusesACardInTheWrongFolder) {
  Add(1);
  fs::rename(root_ / "face/1", root_ / "face/3");
  EXPECT_EQ(ModelRepository(root_).Find("face").error().code, ErrorCode::kInternal);
}

/// BlazeFace's short-range network stands for any network here: it is small and always there.
class NetworkTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto loaded = LoadNetwork(
        fs::path(UNMASK_SOURCE_DIR) / "third_party/detectors/face_detection_short_range.tflite", {});
    ASSERT_TRUE(loaded) << loaded.error().message;
    network_ = std::move(*loaded);
  }
  static void TearDownTestSuite() { network_.reset(); }

  static Tensor Noise(unsigned seed) {
    Tensor input{.shape = {1, 128, 128, 3}};
    for (std::size_t i = 0; i < 128 * 128 * 3; ++i)
      input.values.push_back(static_cast<float>((seed = seed * 1664525u + 1013904223u) >> 8) / (1 << 23) - 1);
    return input;
  }

  static inline std::unique_ptr<Network> network_;
};

TEST_F(NetworkTest, GivesEveryOutputWithItsShape) {
  const auto outputs = network_->Infer(Noise(1));
  ASSERT_TRUE(outputs);
  std::vector<std::size_t> sizes;
  for (const Tensor& t : *outputs) sizes.push_back(t.values.size());
  EXPECT_THAT(sizes, testing::UnorderedElementsAre(896u * 16, 896u));
}

TEST_F(NetworkTest, RefusesAWrongShapeAndGoesOn) {
  EXPECT_EQ(network_->Infer({.shape = {1, 3}, .values = {1, 2, 3}}).error().code, ErrorCode::kBadRequest);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(network_->Infer(Noise(1)));
}

TEST_F(NetworkTest, GivesTheSameOnManyThreadsAsOnOne) {
  const auto expected = network_->Infer(Noise(7)).value();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const auto outputs = network_->Infer(Noise(7));
        ASSERT_TRUE(outputs);
        EXPECT_EQ((*outputs)[0].values, expected[0].values);
      }
    });
}

TEST_F(NetworkTest, GivesTheSameWhenItWasCompiledInAnEarlierRun) {
  const auto folder = fs::path(testing::TempDir()) / ("unmask-compiled-" + NewTraceId());
  const fs::path file =
      fs::path(UNMASK_SOURCE_DIR) / "third_party/detectors/face_detection_short_range.tflite";
  const auto expected = network_->Infer(Noise(3)).value();
  for (int run = 0; run < 3; ++run) {
    const auto network = LoadNetwork(file, {.cache = folder, .identity = "short-range"});
    ASSERT_TRUE(network) << network.error().message;
    const auto outputs = (*network)->Infer(Noise(3));
    ASSERT_TRUE(outputs);
    EXPECT_EQ((*outputs)[0].values, expected[0].values) << run;
    ASSERT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
    // The third run finds a damaged file.
    if (run == 1)
      for (const auto& entry : fs::directory_iterator(folder)) fs::resize_file(entry.path(), 1000);
  }
  fs::remove_all(folder);
}

TEST(LoadNetwork, SaysWhatInputTheNetworkTakes) {
  const fs::path file =
      fs::path(UNMASK_SOURCE_DIR) / "third_party/detectors/face_detection_full_range.tflite";
  EXPECT_THAT(LoadNetwork(file, {.threads = 1}).value()->input_shape(), testing::ElementsAre(1, 192, 192, 3));
  const auto any = fs::path(testing::TempDir()) / ("any-" + NewTraceId() + ".xml");
  ASSERT_TRUE(WriteFileAtomically(any, R"(<net name="any" version="11"><layers>
    <layer id="0" name="in" type="Parameter" version="opset1"><data shape="?,4,3" element_type="f32"/>
      <output><port id="0" precision="FP32"><dim>-1</dim><dim>4</dim><dim>3</dim></port></output></layer>
    <layer id="1" name="out" type="Result" version="opset1">
      <input><port id="0" precision="FP32"><dim>-1</dim><dim>4</dim><dim>3</dim></port></input></layer>
    </layers><edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges></net>)"));
  EXPECT_THAT(LoadNetwork(any, {.threads = 1}).value()->input_shape(), testing::ElementsAre(-1, 4, 3));
  EXPECT_THAT(LoadNetwork(any, {.threads = 1, .batch = 1}).value()->input_shape(),
              testing::ElementsAre(1, 4, 3));
  fs::remove(any);
}

TEST(LoadNetwork, SaysWhichFileIsAbsentOrBroken) {
  const LeakCheckPause pause;  // OpenVINO keeps eight bytes of a file that it could not read
  EXPECT_EQ(LoadNetwork("/nonexistent/net.xml", {}).error().code, ErrorCode::kNotFound);
  const auto file = fs::path(testing::TempDir()) / ("broken-" + NewTraceId() + ".xml");
  ASSERT_TRUE(WriteFileAtomically(file, "<net"));
  EXPECT_THAT(LoadNetwork(file, {}).error().message, HasSubstr(file.filename().string()));
  fs::remove(file);
}

/// Gives the mean of each face's first plane, so that order and normalisation show.
class MeanNetwork final : public Network {
 public:
  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    Tensor means{.name = "logit", .shape = {input.shape[0], 1}};
    const std::size_t plane = input.shape[2] * input.shape[3];
    for (std::size_t face = 0; face < input.shape[0]; ++face) {
      double sum = 0;
      for (std::size_t i = 0; i < plane; ++i) sum += input.values[face * 3 * plane + i];
      means.values.push_back(static_cast<float>(sum / static_cast<double>(plane)));
    }
    return std::vector<Tensor>{means};
  }
  void Start(Tensor input, std::stop_token, Done done) override {
    sizes.push_back(input.shape[0]);
    done(input.shape[0] == fails_at ? Fail(ErrorCode::kInternal, "no") : Infer(input));
  }
  std::size_t width() const override { return 1; }

  std::vector<std::size_t> sizes;  ///< of the batches that came
  std::size_t fails_at = 0;        ///< a batch of this size fails
};

TEST(Scorer, NormalisesInTheCardsColourOrderAndKeepsTheOrderOfFaces) {
  auto card = ParseModelCard(GoodCard().dump()).value();
  const Scorer scorer(card, std::make_unique<MeanNetwork>());
  const cv::Mat red(50, 40, CV_8UC3, cv::Scalar(0, 0, 255));
  const cv::Mat blue(400, 400, CV_8UC3, cv::Scalar(255, 0, 0));
  const std::vector<PreparedFace> faces = {scorer.Prepare(red), scorer.Prepare(blue)};
  EXPECT_EQ(faces[0].inputs[0].size(), cv::Size(160, 160));
  const auto scores = scorer.Start(faces).get();
  ASSERT_TRUE(scores);
  EXPECT_NEAR((*scores)[0].logit, 1, 1e-5);
  EXPECT_NEAR((*scores)[1].logit, -1, 1e-5);
  EXPECT_TRUE(scorer.Start({}).get()->empty());
}

TEST(Scorer, FillsBatchesOfTheNetworksSizeAndGathersThem) {
  auto network = std::make_unique<MeanNetwork>();
  const MeanNetwork& seen = *network;
  const Scorer scorer(ParseModelCard(GoodCard().dump()).value(), std::move(network), 2);
  std::vector<PreparedFace> faces;
  for (int i = 0; i < 5; ++i)
    faces.push_back(scorer.Prepare(cv::Mat(160, 160, CV_8UC3, cv::Scalar::all(51 * i))));
  const auto scores = scorer.Start(faces).get();
  ASSERT_TRUE(scores);
  ASSERT_EQ(scores->size(), 5u);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GT((*scores)[i].logit, (*scores)[i - 1].logit);
  EXPECT_THAT(seen.sizes, testing::ElementsAre(2, 2, 2));
}

/// Gives, beside the logit, a mask of two cells: 0.25 and something beyond 1.
class MaskNetwork final : public Network {
 public:
  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    Tensor mask{.name = "mask", .shape = {input.shape[0], 1, 1, 2}};
    Tensor logit{.name = "logit", .shape = {input.shape[0], 1}};
    for (std::size_t i = 0; i < input.shape[0]; ++i) {
      mask.values.insert(mask.values.end(), {0.25F, 1.5F});
      logit.values.push_back(2);
    }
    return std::vector<Tensor>{mask, logit};
  }
  void Start(Tensor input, std::stop_token, Done done) override { done(Infer(input)); }
  std::size_t width() const override { return 1; }
};

TEST(Scorer, GivesTheMaskOfEachFace) {
  auto card = ParseModelCard(GoodCard().dump()).value();
  card.mask = {.name = "mask", .width = 2, .height = 1};
  const Scorer scorer(card, std::make_unique<MaskNetwork>());
  const std::vector<PreparedFace> faces(3, scorer.Prepare(cv::Mat(9, 9, CV_8UC3, cv::Scalar::all(0))));
  const auto scores = scorer.Start(faces).get();
  ASSERT_TRUE(scores);
  for (const FaceScore& score : *scores) {
    EXPECT_EQ(score.logit, 2);
    EXPECT_THAT(score.members[0].mask, testing::ElementsAre(0.25F, 1.0F));
  }
  card.mask.width = 3;
  const Scorer wrong(card, std::make_unique<MaskNetwork>());
  EXPECT_THAT(wrong.Start(faces).get().error().message, HasSubstr("'mask' with 3 values"));
}

TEST(Scorer, PassesOnAFailureOfTheNetwork) {
  auto network = std::make_unique<MeanNetwork>();
  network->fails_at = 1;
  const Scorer scorer(ParseModelCard(GoodCard().dump()).value(), std::move(network), 1);
  const std::vector<PreparedFace> faces(3, scorer.Prepare(cv::Mat(9, 9, CV_8UC3, cv::Scalar::all(0))));
  EXPECT_EQ(scorer.Start(faces).get().error().code, ErrorCode::kInternal);
}

TEST(Scorer, RefusesACropThatWasNotPrepared) {
  const Scorer scorer(ParseModelCard(GoodCard().dump()).value(), std::make_unique<MeanNetwork>());
  const std::vector<PreparedFace> faces = {scorer.Prepare(cv::Mat(9, 9, CV_8UC3, cv::Scalar::all(0))),
                                           PreparedFace{{cv::Mat(159, 160, CV_8UC3)}}};
  EXPECT_EQ(scorer.Start(faces).get().error().code, ErrorCode::kBadRequest);
}

TEST(Scorer, CalibratesByPlattsFormula) {
  const Scorer scorer(ParseModelCard(GoodCard().dump()).value(), std::make_unique<MeanNetwork>());
  EXPECT_NEAR(scorer.Calibrate(0.25), 0.5, 1e-12);
  EXPECT_NEAR(scorer.Calibrate(2), 1 / (1 + std::exp(-(1.2 * 2 - 0.3))), 1e-12);
}

}  // namespace
}  // namespace unmask
