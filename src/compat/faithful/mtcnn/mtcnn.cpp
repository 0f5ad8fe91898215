// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/mtcnn/mtcnn.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "face/detector_file.hpp"

namespace unmask::compat {
namespace {

using mtcnn::Box;

/// Windows that the R- and the O-network take at once: a fixed number, which the engine plans for once.
constexpr std::size_t kWindows = 16;

struct NetworkFile {
  const char* name;
  const char* xml_sha256;
  const char* bin_sha256;
  std::size_t batch;
};

// What tools/mtcnn_networks.py makes of the package.
constexpr NetworkFile kPnet{"mtcnn_pnet", "9ced71b7277361d7ea111fbdbbefcb35d7b7e7ea8bd3f6a73fdaabc74ce673c0",
                            "086f86ee00acf0dc7d8ec075eb247021a21bd98c52119d02f1a9c77995279973", 0};
constexpr NetworkFile kRnet{"mtcnn_rnet", "59196f4121e8ed081c39568217d88174dbd43161d4bc7601e95d22547cdd6560",
                            "59355fab37096d63c7384405ba20122bb2713884c4d0748a239c50346812b052", kWindows};
constexpr NetworkFile kOnet{"mtcnn_onet", "31f3a6e0a85bcf74e8b1fbb246e516036bd7525920225e0395a56d362cd96b0c",
                            "24363055cae12a5a5ea70ffe5ddc310a5ba6d5007777aa6ee8d2ab12662be1b3", kWindows};

Result<std::unique_ptr<Network>> LoadOne(const std::filesystem::path& folder, const NetworkFile& file,
                                         NetworkOptions options) {
  const auto xml = folder / (std::string(file.name) + ".xml");
  const auto bin = folder / (std::string(file.name) + ".bin");
  if (auto checked = CheckDetectorFile(xml, file.xml_sha256); !checked)
    return tl::unexpected(checked.error());
  if (auto checked = CheckDetectorFile(bin, file.bin_sha256); !checked)
    return tl::unexpected(checked.error());
  options.identity = std::string(file.xml_sha256) + file.bin_sha256;
  options.batch = file.batch;
  return LoadNetwork(xml, options);
}

/// The range that the networks want.
float Normalised(double value) { return static_cast<float>((value - 127.5) * 0.0078125); }

/// Writes a picture (CV_8UC3 or CV_64FC3) in that range and turned: [width][height][3].
void WriteTurned(const cv::Mat& picture, float* out) {
  static const auto kTable = [] {
    std::array<float, 256> table{};
    for (std::size_t value = 0; value < table.size(); ++value)
      table[value] = Normalised(static_cast<double>(value));
    return table;
  }();
  cv::Mat turned;
  cv::transpose(picture, turned);
  const auto count = static_cast<std::size_t>(turned.cols) * 3;
  for (int row = 0; row < turned.rows; ++row, out += count) {
    if (turned.depth() == CV_8U) {
      const auto* values = turned.ptr<std::uint8_t>(row);
      for (std::size_t i = 0; i < count; ++i) out[i] = kTable[values[i]];
    } else {
      const auto* values = turned.ptr<double>(row);
      for (std::size_t i = 0; i < count; ++i) out[i] = Normalised(values[i]);
    }
  }
}

/// A box's window, black beside the picture, at the network's size.
cv::Mat Window(const cv::Mat& picture, const mtcnn::Cut& cut, int side) {
  // The package resizes doubles, so that nothing is rounded in between.
  cv::Mat window = cv::Mat::zeros(cut.size, CV_64FC3);
  picture(cut.source).convertTo(window(cv::Rect(cut.target, cut.source.size())), CV_64F);
  cv::Mat resized;
  cv::resize(window, resized, {side, side}, 0, 0, cv::INTER_AREA);
  return resized;
}

/// What a network says of one window.
struct Answer {
  std::array<float, 4> shift{};
  float score = 0;
};

/// Asks for all boxes, which lose those without a window. The last output has the scores, the first the
/// shifts.
Result<std::vector<Answer>> Ask(Network& network, const cv::Mat& picture, std::vector<Box>& boxes, int side) {
  std::vector<mtcnn::Cut> cuts;
  std::erase_if(boxes, [&](const Box& box) {
    const auto cut = mtcnn::CutOf(box, picture.size());
    if (cut) cuts.push_back(*cut);
    return !cut;
  });
  const auto sides = static_cast<std::size_t>(side);
  const std::size_t length = sides * sides * 3;
  std::vector<Answer> answers;
  Tensor input{.shape = {kWindows, sides, sides, 3}, .values = std::vector<float>(kWindows * length)};
  for (std::size_t first = 0; first < cuts.size(); first += kWindows) {
    const std::size_t count = std::min(kWindows, cuts.size() - first);
    for (std::size_t i = 0; i < count; ++i)
      WriteTurned(Window(picture, cuts[first + i], side), input.values.data() + i * length);
    const auto outputs = network.Infer(input);
    if (!outputs) return tl::unexpected(outputs.error());
    const auto& shifts = outputs->front().values;
    const auto& scores = outputs->back().values;
    for (std::size_t i = 0; i < count; ++i) {
      Answer answer{.score = scores[2 * i + 1]};
      std::copy_n(shifts.begin() + static_cast<std::ptrdiff_t>(4 * i), 4, answer.shift.begin());
      answers.push_back(answer);
    }
  }
  return answers;
}

/// The boxes whose answers pass, with these.
std::vector<Box> Passed(std::vector<Box> boxes, const std::vector<Answer>& answers, float threshold) {
  std::vector<Box> passed;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (!(answers[i].score > threshold)) continue;
    boxes[i].score = static_cast<double>(answers[i].score);
    boxes[i].shift = answers[i].shift;
    passed.push_back(boxes[i]);
  }
  return passed;
}

}  // namespace

Result<std::shared_ptr<Mtcnn>> Mtcnn::Load(const std::filesystem::path& folder,
                                           const NetworkOptions& options) {
  const std::shared_ptr<Mtcnn> made(new Mtcnn);
  for (const auto& [file, network] :
       {std::pair(&kPnet, &made->pnet_), std::pair(&kRnet, &made->rnet_), std::pair(&kOnet, &made->onet_)}) {
    auto loaded = LoadOne(folder, *file, options);
    if (!loaded) return tl::unexpected(loaded.error());
    *network = std::move(*loaded);
  }
  return made;
}

Result<std::vector<MtcnnFace>> Mtcnn::Find(const cv::Mat& picture) const {
  auto boxes = Propose(picture);
  if (boxes) boxes = Refine(picture, std::move(*boxes));
  if (boxes) boxes = Conclude(picture, std::move(*boxes));
  if (!boxes) return tl::unexpected(boxes.error());
  std::vector<MtcnnFace> faces;
  for (const Box& box : *boxes) {
    const cv::Point first(std::max(0, static_cast<int>(box.x1)), std::max(0, static_cast<int>(box.y1)));
    faces.push_back(
        {.box = {first.x, first.y, static_cast<int>(box.x2 - first.x), static_cast<int>(box.y2 - first.y)},
         .score = box.score});
  }
  return faces;
}

/// The P-network on every size of the pyramid.
Result<std::vector<Box>> Mtcnn::Propose(const cv::Mat& picture) const {
  std::vector<Box> boxes;
  for (const double scale : mtcnn::PyramidScales(picture.size())) {
    const cv::Size size(static_cast<int>(std::ceil(picture.cols * scale)),
                        static_cast<int>(std::ceil(picture.rows * scale)));
    cv::Mat resized;
    cv::resize(picture, resized, size, 0, 0, cv::INTER_AREA);
    Tensor input{
        .shape = {1, static_cast<std::size_t>(size.width), static_cast<std::size_t>(size.height), 3}};
    input.values.resize(static_cast<std::size_t>(size.area()) * 3);
    WriteTurned(resized, input.values.data());
    const auto outputs = pnet_->Infer(input);
    if (!outputs) return tl::unexpected(outputs.error());
    const auto& shape = outputs->front().shape;
    const cv::Size grid(static_cast<int>(shape[1]), static_cast<int>(shape[2]));
    auto windows = mtcnn::WindowsOf(grid, outputs->front().values, outputs->back().values, scale);
    windows = mtcnn::Suppress(std::move(windows), 0.5, mtcnn::Overlap::kUnion);
    boxes.insert(boxes.end(), windows.begin(), windows.end());
  }
  boxes = mtcnn::Suppress(std::move(boxes), 0.7, mtcnn::Overlap::kUnion);
  for (Box& box : boxes) {
    mtcnn::ApplyShift(box, false);
    mtcnn::MakeSquare(box);
    mtcnn::Truncate(box);
  }
  return boxes;
}

Result<std::vector<Box>> Mtcnn::Refine(const cv::Mat& picture, std::vector<Box> boxes) const {
  const auto answers = Ask(*rnet_, picture, boxes, 24);
  if (!answers) return tl::unexpected(answers.error());
  boxes = Passed(std::move(boxes), *answers, mtcnn::kThresholds[1]);
  boxes = mtcnn::Suppress(std::move(boxes), 0.7, mtcnn::Overlap::kUnion);
  for (Box& box : boxes) {
    mtcnn::ApplyShift(box, true);
    mtcnn::MakeSquare(box);
  }
  return boxes;
}

Result<std::vector<Box>> Mtcnn::Conclude(const cv::Mat& picture, std::vector<Box> boxes) const {
  for (Box& box : boxes) mtcnn::Truncate(box);
  const auto answers = Ask(*onet_, picture, boxes, 48);
  if (!answers) return tl::unexpected(answers.error());
  boxes = Passed(std::move(boxes), *answers, mtcnn::kThresholds[2]);
  for (Box& box : boxes) mtcnn::ApplyShift(box, true);
  return mtcnn::Suppress(std::move(boxes), 0.7, mtcnn::Overlap::kSmaller);
}

}  // namespace unmask::compat
