// SPDX-License-Identifier: Apache-2.0
//
// HEIF and AVIF through the real unmask-decoder. heif-enc makes the former, avifenc the latter.

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/decoder/test_heif.hpp"
#include "media/test_clips.hpp"

namespace unmask {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

class HeifTest : public MediaTest {
 protected:
  static std::filesystem::path Heic(const std::string& name, const std::string& options = "-q 90 IN") {
    return MakeWith("heif-enc", name, options + " -o OUT");
  }
  static std::filesystem::path Avif(const std::string& name, const std::string& options = "IN") {
    return MakeWith("avifenc -s 10 --min 4 --max 8", name, options + " OUT");
  }
  /// Bit by bit the portrait, so that a wrong turn by one pixel shows.
  static std::filesystem::path Lossless(const std::string& name, const std::string& options = "") {
    return MakeWith("avifenc -s 10 -l", name, options + " IN OUT");
  }

  /// The 256 pixels across and down from there, coded with HEVC.
  static decoder::HeifItem Tile(std::uint16_t id, int left, int top) {
    const auto name = fmt::format("tile-{}-{}", left, top);
    const auto png = Make(name + ".png", fmt::format("-i IN -vf crop=256:256:{}:{} OUT", left, top));
    const std::string bytes = BytesOf(Heic(name + ".heic", "-q 90 " + png.string()));
    const std::size_t config = bytes.find("hvcC") - 4;
    const std::size_t size = static_cast<unsigned char>(bytes[config + 2]) * std::size_t{256} +
                             static_cast<unsigned char>(bytes[config + 3]);
    return {.id = id,
            .data = bytes.substr(bytes.find("mdat") + 4),
            .properties = {bytes.substr(config, size), decoder::SizeBox(256, 256)}};
  }

  cv::Mat Pixels(const std::filesystem::path& path, const SamplePlan& plan = {}) {
    const Decoded decoded = Decode(path, plan);
    return decoded.frames.empty() ? cv::Mat(1, 1, CV_8UC3) : decoded.frames[0].bgr;
  }

  /// A JPEG that stands on its side and says so in EXIF.
  static std::filesystem::path Turned() {
    std::string bytes = BytesOf(Make("upright.jpg", "-i IN -vf scale=96:64 -q:v 1 OUT"));
    const std::string exif = "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"s;
    bytes.insert(2, "\xFF\xE1\0"s + static_cast<char>(exif.size() + 2) + exif);
    return Write("turned.jpg", bytes);
  }

  /// The bytes with those at `at` behind the first `word` replaced.
  static std::string Patched(std::string bytes, const std::string& word, std::size_t at,
                             const std::string& by) {
    const auto found = bytes.find(word);
    if (found == std::string::npos) ADD_FAILURE() << "no " << word;
    return bytes.replace(found + word.size() + at, by.size(), by);
  }
};

TEST_F(HeifTest, EveryCodingGivesThePicture) {
  const cv::Mat png = Pixels(Portrait());
  const auto deep = Make("deep.png", "-i IN -pix_fmt rgb48be OUT").string();
  struct Case {
    std::filesystem::path path;
    const char* container;
    const char* codec;
    double difference;
  };
  for (const Case& c : {
           Case{Heic("a.heic"), "heif", "hevc", 4},
           {Heic("444.heic", "-q 95 -p chroma=444 IN"), "heif", "hevc", 3},
           {Heic("lossless.heic", "-L -p chroma=444 --matrix_coefficients=0 IN"), "heif", "hevc", 1},
           {Heic("ten.heic", "-q 95 -b 10 " + deep), "heif", "hevc", 4},
           {Heic("twelve.heic", "-q 95 -b 12 " + deep), "heif", "hevc", 4},
           {Heic("limited.heic", "-q 95 --full_range_flag=0 IN"), "heif", "hevc", 4},
           {Heic("bt709.heic", "-q 95 --matrix_coefficients=1 --colour_primaries=1 IN"), "heif", "hevc", 4},
           {Lossless("lossless.avif"), "avif", "av1", 0},
           {Avif("420.avif", "-y 420 IN"), "avif", "av1", 4},
           {Avif("422.avif", "-y 422 IN"), "avif", "av1", 4},
           {Avif("444.avif", "-y 444 IN"), "avif", "av1", 3},
           {Avif("ten.avif", "-d 10 IN"), "avif", "av1", 3},
           {Avif("twelve.avif", "-d 12 -y 420 IN"), "avif", "av1", 4},
           {Avif("limited.avif", "-r limited IN"), "avif", "av1", 3},
           {Avif("bt709.avif", "-r limited --cicp 1/13/1 IN"), "avif", "av1", 3},
           {Avif("bt2020.avif", "-d 10 --cicp 9/14/9 IN"), "avif", "av1", 3},
           {Avif("grid.avif", "-g 2x2 IN"), "avif", "av1", 3},
           {Lossless("lossless_grid.avif", "-g 2x2"), "avif", "av1", 0},
           {Avif("deep_grid.avif", "-g 2x2 -d 10 -y 420 IN"), "avif", "av1", 4},
       }) {
    const Decoded decoded = Decode(c.path);
    EXPECT_EQ(decoded.info.kind, MediaKind::kImage);
    EXPECT_EQ(decoded.info.container, c.container);
    EXPECT_EQ(decoded.info.codec, c.codec);
    EXPECT_FALSE(decoded.info.duration);
    EXPECT_EQ(decoded.summary.frames_decoded, 1);
    EXPECT_EQ(decoded.summary.decode_errors, 0) << c.path;
    ASSERT_EQ(decoded.frames.size(), 1u) << c.path;
    EXPECT_LE(MeanDifference(decoded.frames[0].bgr, png), c.difference) << c.path;
  }
}

TEST_F(HeifTest, GreyBecomesBgr) {
  const cv::Mat grey = Pixels(Make("grey.png", "-i IN -pix_fmt gray OUT"));
  EXPECT_LE(MeanDifference(Pixels(Avif("grey.avif", "-y 400 IN")), grey), 4);
  EXPECT_LE(MeanDifference(Pixels(Avif("deep_grey.avif", "-y 400 -d 10 IN")), grey), 4);
  EXPECT_LE(MeanDifference(Pixels(Heic("grey.heic", "-q 95 " + (folder_ / "grey.png").string())), grey), 4);
}

TEST_F(HeifTest, OddSizesAreWhole) {
  const auto odd = Make("odd.png", "-i IN -vf scale=333:211 OUT");
  EXPECT_LE(MeanDifference(Pixels(Heic("odd.heic", "-q 95 " + odd.string())), Pixels(odd)), 4);
  EXPECT_LE(MeanDifference(Pixels(Avif("odd.avif", "-y 420 " + odd.string())), Pixels(odd)), 4);
}

TEST_F(HeifTest, IsTurnedMirroredAndCroppedAsTheContainerSays) {
  const cv::Mat png = Pixels(Portrait());
  cv::Mat expected;
  cv::rotate(png, expected, cv::ROTATE_90_COUNTERCLOCKWISE);
  EXPECT_TRUE(Same(Pixels(Lossless("turned1.avif", "--irot 1")), expected));
  cv::rotate(png, expected, cv::ROTATE_180);
  EXPECT_TRUE(Same(Pixels(Lossless("turned2.avif", "--irot 2")), expected));
  cv::rotate(png, expected, cv::ROTATE_90_CLOCKWISE);
  EXPECT_TRUE(Same(Pixels(Lossless("turned3.avif", "--irot 3")), expected));
  cv::flip(png, expected, 0);
  EXPECT_TRUE(Same(Pixels(Lossless("mirrored0.avif", "--imir 0")), expected));
  cv::flip(png, expected, 1);
  EXPECT_TRUE(Same(Pixels(Lossless("mirrored1.avif", "--imir 1")), expected));
  EXPECT_TRUE(
      Same(Pixels(Lossless("cropped.avif", "--crop 100,50,300,200")), png(cv::Rect(100, 50, 300, 200))));
}

TEST_F(HeifTest, ExifOrientationIsNotAppliedOnTopOfTheContainers) {
  const auto turned = Turned();
  const cv::Mat upright = Pixels(turned);
  ASSERT_EQ(upright.size(), cv::Size(64, 96));
  for (const auto& path :
       {Heic("turned.heic", "-q 98 " + turned.string()), Avif("turned.avif", turned.string())}) {
    EXPECT_NE(BytesOf(path).find("Exif"), std::string::npos) << path;
    EXPECT_NE(BytesOf(path).find("irot"), std::string::npos) << path;
    EXPECT_LE(MeanDifference(Pixels(path), upright), 5) << path;
    EXPECT_LE(MeanDifference(Pixels(path, {.turn = false}), upright), 5) << "what EXIF says is none of it";
  }
}

// As iPhones write it: a grid of HEVC tiles that go beyond its edges, turned by the container, with an EXIF
// block that says the same.
TEST_F(HeifTest, ATurnedGridOfHevcTilesIsOnePicture) {
  using namespace decoder;
  std::vector<HeifItem> items = {
      {.id = 1,
       .type = "grid",
       .data = GridData(2, 2, 500, 480),
       .properties = {SizeBox(500, 480), MakeBox("irot", "\3")}},
      Tile(2, 0, 0),
      Tile(3, 256, 0),
      Tile(4, 0, 256),
      Tile(5, 256, 256),
      {.id = 6,
       .type = "Exif",
       .data = BigEndian(0, 4) + "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"s}};
  const auto path = Write("phone.heic", HeifFile(items, {{"dimg", 1, {2, 3, 4, 5}}, {"cdsc", 6, {1}}}));
  cv::Mat expected;
  cv::rotate(Pixels(Portrait())(cv::Rect(0, 0, 500, 480)), expected, cv::ROTATE_90_CLOCKWISE);
  EXPECT_LE(MeanDifference(Pixels(path), expected), 4);
}

TEST_F(HeifTest, AlphaIsDropped) {
  const cv::Mat png = Pixels(Portrait());
  const auto alpha = Make("alpha.png", "-i IN -vf format=rgba,colorchannelmixer=aa=0.3 OUT").string();
  ASSERT_TRUE(Same(Pixels(alpha), png));
  const auto lossless = MakeWith("avifenc -s 10 -l", "alpha.avif", alpha + " OUT");
  EXPECT_NE(BytesOf(lossless).find("auxC"), std::string::npos);
  EXPECT_TRUE(Same(Pixels(lossless), png));
  EXPECT_TRUE(Same(Pixels(MakeWith("avifenc -s 10 -l -g 2x2", "alpha_grid.avif", alpha + " OUT")), png));
  EXPECT_LE(MeanDifference(Pixels(Heic("alpha.heic", "-q 95 " + alpha)), png), 4);
}

TEST_F(HeifTest, OfASequenceThePrimaryPictureIsTaken) {
  const auto negative = Make("negative.png", "-i IN -vf negate OUT");
  const auto sequence = MakeWith("avifenc -s 10 -l", "sequence.avif", "IN " + negative.string() + " OUT");
  EXPECT_EQ(BytesOf(sequence).substr(8, 4), "avis");
  EXPECT_TRUE(Same(Pixels(sequence), Pixels(Portrait())));
}

TEST_F(HeifTest, AGeneralBrandIsEnough) {
  const auto heic = Write("general.heic", Patched(BytesOf(Heic("a.heic")), "ftyp", 0, "mif1"));
  EXPECT_EQ(Decode(heic).info.container, "heif");
  const auto avif = Write("general.avif", Patched(BytesOf(Lossless("lossless.avif")), "ftyp", 0, "mif1"));
  EXPECT_EQ(Decode(avif).info.container, "avif");
}

TEST_F(HeifTest, NothingIsGivenWhenNothingIsPicked) {
  SamplePlan plan{.mode = SampleMode::kPicked, .max_frames = 4};
  plan.pick = [](const MediaInfo&) -> Result<FramePick> { return FramePick{.indices = {1}}; };
  EXPECT_TRUE(Decode(Heic("a.heic"), plan).frames.empty());
  plan.pick = [](const MediaInfo&) -> Result<FramePick> { return FramePick{.indices = {0}}; };
  EXPECT_EQ(Decode(Heic("a.heic"), plan).frames.size(), 1u);
}

TEST_F(HeifTest, ACutOffFileIsUndecodable) {
  for (const auto& [path, kind] :
       {std::pair(Heic("a.heic"), "heif"), {Avif("grid.avif", "-g 2x2 IN"), "avif"}}) {
    const std::string whole = BytesOf(path);
    for (const std::size_t size : {std::size_t{40}, std::size_t{200}, whole.size() / 2, whole.size() - 1}) {
      const Error error = ErrorOf(Write("cut", whole.substr(0, size)));
      EXPECT_EQ(error.code, ErrorCode::kUndecodable) << path << " cut to " << size;
      EXPECT_EQ(error.message, "is not a valid "s + kind + " picture") << path << " cut to " << size;
    }
  }
}

TEST_F(HeifTest, DamageNeverEndsTheDecoder) {
  std::mt19937 random(7);
  const std::string seeds[] = {BytesOf(Heic("a.heic")), BytesOf(Avif("grid.avif", "-g 2x2 IN")),
                               BytesOf(Lossless("turned1.avif", "--irot 1"))};
  for (int round = 0; round < 60; ++round) {
    std::string bytes = seeds[round % 3];
    const std::size_t part = std::min<std::size_t>(bytes.size(), random() % 4 == 0 ? bytes.size() : 1000);
    if (round % 10 == 0) {
      for (std::size_t at = 12 + random() % part; at < bytes.size(); ++at)
        bytes[at] = static_cast<char>(random());
    } else {
      for (int change = 0; change < 4; ++change)
        bytes[12 + random() % (part - 12)] = static_cast<char>(random());
    }
    const auto path = Write("damaged", bytes);
    auto stream = Open(path);
    auto frame = stream ? (*stream)->Next() : tl::unexpected(stream.error());
    if (frame) continue;
    EXPECT_THAT(frame.error().code, testing::AnyOf(ErrorCode::kUndecodable, ErrorCode::kUnsupportedMedia,
                                                   ErrorCode::kLimitExceeded))
        << "round " << round << ": " << frame.error().message;
  }
  EXPECT_TRUE(Same(Pixels(Lossless("lossless.avif")), Pixels(Portrait())));
}

TEST_F(HeifTest, APixelBombIsRefusedByWhatItDeclares) {
  const std::string heic = BytesOf(Heic("a.heic"));
  const std::string zeros(4, '\0');
  const Error wide =
      ErrorOf(Write("wide.heic", Patched(heic, "ispe", 0, zeros + "\0\0\xEA\x60\0\0\xEA\x60"s)));
  EXPECT_EQ(wide.code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(wide.limit, "max_side");
  const Error many =
      ErrorOf(Write("many.heic", Patched(heic, "ispe", 0, zeros + "\0\0\x3E\x80\0\0\x3E\x80"s)));
  EXPECT_EQ(many.limit, "max_pixels");
  EXPECT_THAT(many.message, HasSubstr("256000000"));

  const std::string grid = BytesOf(Avif("grid.avif", "-g 2x2 IN"));
  const std::string two_by_two = "\0\0\1\1\2\0\2\0"s;  // of 512 x 512 pixels
  const Error canvas =
      ErrorOf(Write("canvas.avif", Patched(grid, two_by_two.substr(0, 4), 0, "\x3E\x80\x3E\x80"s)));
  EXPECT_EQ(canvas.limit, "max_pixels");
}

TEST_F(HeifTest, ALieAboutTheSizeDoesNotPassTheLimit) {
  pool_ = MakePool({.max_pixels = 1000});
  EXPECT_EQ(ErrorOf(Heic("a.heic")).limit, "max_pixels");
  const std::string small = "\0\0\0\0\0\0\0\x08\0\0\0\x08"s;
  const auto liar = [&](const auto& path) { return Write("liar", Patched(BytesOf(path), "ispe", 0, small)); };
  EXPECT_EQ(ErrorOf(liar(Heic("a.heic"))).limit, "max_pixels");
  EXPECT_EQ(ErrorOf(liar(Lossless("lossless.avif"))).code, ErrorCode::kUndecodable);
}

TEST_F(HeifTest, TilesBeyondTheGridCostNoMoreThanThreeWholePictures) {
  using namespace decoder;
  const auto tiles = [&](std::size_t count) {
    const HeifItem grid{.id = 1,
                        .type = "grid",
                        .data = GridData(1, static_cast<int>(count), 256 * static_cast<int>(count), 16)};
    return Write("tiles.heic",
                 HeifFile({grid, Tile(2, 0, 0)}, {{"dimg", 1, std::vector<std::uint16_t>(count, 2)}}));
  };
  pool_ = MakePool({.max_pixels = 256 * 256});
  EXPECT_EQ(Decode(tiles(3)).info.width, 768);
  const Error error = ErrorOf(tiles(4));
  EXPECT_EQ(error.code, ErrorCode::kLimitExceeded) << error.message;
  EXPECT_EQ(error.limit, "max_pixels");
}

TEST_F(HeifTest, APictureThatIsItsOwnPartIsUndecodable) {
  const std::string grid = BytesOf(Avif("grid.avif", "-g 2x2 IN"));
  const auto from = grid.substr(grid.find("dimg") + 4, 2);
  const Error error = ErrorOf(Write("circle.avif", Patched(grid, "dimg", 4, from)));
  EXPECT_EQ(error.code, ErrorCode::kUndecodable);
  EXPECT_EQ(error.message, "is not a valid avif picture");
}

TEST_F(HeifTest, AnotherCodecIsNamedWithTheAcceptedOnes) {
  const Error error = ErrorOf(Write("vvc.heic", Patched(BytesOf(Heic("a.heic")), "infe", 8, "vvc1")));
  EXPECT_EQ(error.code, ErrorCode::kUnsupportedMedia);
  EXPECT_EQ(error.message, "picture codec 'vvc1' is not accepted in this container (accepted: hevc, av1)");
}

}  // namespace
}  // namespace unmask
