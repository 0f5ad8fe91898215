// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "render/csv.hpp"
#include "render/example_report.hpp"
#include "render/html.hpp"
#include "render/overlay.hpp"
#include "render/picture_io.hpp"
#include "render/table.hpp"
#include "render/text.hpp"
#include "render/words.hpp"

namespace unmask {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Table, ShowsTheFileAndEachTrack) {
  const auto lines = LinesOf(ToTable(ExampleReport(), {.width = 120}));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0],
              testing::MatchesRegex("clip\\.mp4 +Manipulated +98\\.1 %  12\\.4 s, 25 frames analysed"));
  EXPECT_THAT(lines[1], testing::MatchesRegex(
                            "  face 1: 0\\.0 s – 12\\.0 s, 25 views +Manipulated +98\\.1 %  2\\.0 s – "
                            "9\\.5 s \\(peak 99\\.7 % at 4\\.5 s\\)"));
}

TEST(Table, NeverGetsWiderThanItsTerminal) {
  Report report = ExampleReport();
  report.media.name = "a/very/long/path/to/人物照片文件夹/" + std::string(300, 'x') + ".mp4";
  report.reasons = {Reason::kNoFace, Reason::kDecodeErrors, Reason::kBetweenThresholds};
  report.tracks[0].segments.assign(20, report.tracks[0].segments[0]);
  for (int width = 40; width <= 200; ++width) {
    const TableStyle style{.width = width};
    for (const std::string& line :
         LinesOf(TableHeader(style) + ToTable(report, style) + TableFooter({}, style)))
      ASSERT_LE(DisplayWidth(line), static_cast<std::size_t>(width)) << line;
  }
}

TEST(Table, KeepsItsColumnsStraight) {
  Report wide = ExampleReport();
  wide.media.name = "人物.mp4";
  const auto column = [](const std::string& line) {
    return DisplayWidth(line.substr(0, line.find("Manipulated")));
  };
  EXPECT_EQ(column(ToTable(wide, {})), column(ToTable(ExampleReport(), {})));
}

TEST(Table, ColoursOnlyOnRequest) {
  EXPECT_THAT(ToTable(ExampleReport(), {.color = false}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(ToTable(ExampleReport(), {.color = true}), HasSubstr("\x1b[1;31mManipulated"));
}

TEST(Table, EscapesNames) {
  Report report = ExampleReport();
  report.media.name = "\x1b]0;pwned\x07.mp4\nfake line";
  const std::string table = ToTable(report, {.width = 160});
  EXPECT_THAT(table, HasSubstr("\\x1b]0;pwned\\x07.mp4\\nfake line"));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  EXPECT_EQ(LinesOf(table).size(), 2U);
}

TEST(Table, GivesReasonsInPlainWords) {
  Report report = ExampleStill();
  report.verdict = Verdict::kInconclusive;
  report.score.reset();
  report.reasons = {Reason::kNoFace};
  report.tracks.clear();
  EXPECT_THAT(ToTable(report, {}), HasSubstr("no face found"));
}

TEST(Table, StatesEachMemberOfAnEnsemble) {
  const std::string table = ToTable(ExampleOfAnEnsemble(), {.width = 160, .color = false});
  EXPECT_THAT(table, HasSubstr("face:1 91.0 %, mine:7 logit 5.50"));
  EXPECT_THAT(ToTable(ExampleReport(), {.width = 160, .color = false}), Not(HasSubstr("face:1")));
}

TEST(Table, CountsARun) {
  Totals totals;
  totals.Add({"a", ExampleReport()});
  totals.Add({"b", ExampleStill()});
  totals.Add({"c", Fail(ErrorCode::kNotFound, "no such file")});
  EXPECT_EQ(TableFooter(totals, {}), "3 files: 1 manipulated, 1 no manipulation found, 1 not analysed\n");
}

TEST(Csv, HasAsManyCellsAsColumns) {
  const auto count = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  EXPECT_EQ(count(CsvHeader()), count(ToCsv(ExampleReport())));
  EXPECT_EQ(count(CsvHeader()), count(ToCsv(ExampleStill())));
  EXPECT_TRUE(ToCsv(ExampleReport()).ends_with("\r\n"));
  EXPECT_THAT(ToCsv(ExampleReport()),
              HasSubstr("clip.mp4,manipulated,0.981,3.94,,1,1,2,9.5,video,mp4,h264,1280,720,"));
}

TEST(Csv, DefusesFormulas) {
  Report report = ExampleReport();
  for (const char* name : {"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"}) {
    report.media.name = name;
    EXPECT_TRUE(ToCsv(report).starts_with("'")) << name;
  }
}

TEST(Csv, QuotesAsRfc4180) {
  Report report = ExampleReport();
  report.media.name = "a,\"b\".mp4";
  EXPECT_TRUE(ToCsv(report).starts_with("\"a,\"\"b\"\".mp4\","));
  report.media.name = "=HYPERLINK(\"x\",\"y\")";
  EXPECT_TRUE(ToCsv(report).starts_with("\"'=HYPERLINK("));
}

TEST(Csv, KeepsOneLineForNamesWithLineEnds) {
  Report report = ExampleReport();
  report.media.name = "a\r\nb";
  EXPECT_TRUE(ToCsv(report).starts_with("a\\r\\nb,"));
}

TEST(Html, EscapesHostileNames) {
  Report report = ExampleReport();
  report.media.name = "\"><script>alert(1)</script>";
  report.media.container = report.media.codec = report.model.name = "<img src=x onerror=alert(1)>";
  report.software.openvino = "</style><script>";
  report.faces[0].quality.codes = {"<b>"};
  report.limits = {"<i>limit</i>"};
  const std::string html = ToHtml(report);
  for (const char* bad : {"<script", "<img src=x", "<b>", "<i>"}) EXPECT_THAT(html, Not(HasSubstr(bad)));
  EXPECT_THAT(html, HasSubstr("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
}

TEST(Html, EscapesErrors) {
  const Outcome outcome{"<x>", Fail(ErrorCode::kUndecodable, "<script>", "<hint>")};
  const std::string html = ToHtml({&outcome, 1});
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;hint&gt;"));
  EXPECT_THAT(html, HasSubstr("undecodable"));
}

TEST(Html, LoadsNothingAndSaysSo) {
  const std::string html = ToHtml(ExampleReport());
  EXPECT_THAT(html, HasSubstr(HtmlPolicy()));
  EXPECT_THAT(HtmlPolicy(), HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, Not(HasSubstr("http://")));
  EXPECT_THAT(html, Not(HasSubstr("https://")));
  EXPECT_THAT(html, Not(HasSubstr(" style=")));  // the policy would forbid it
  EXPECT_THAT(html, Not(HasSubstr("url(")));
}

TEST(Html, CarriesTheEvidence) {
  const std::string html = ToHtml(ExampleReport());
  for (const char* fact : {"abcd", "ef01", "59.37.100", "98.1 %", "from 2.0 s to 9.5 s", "max_frames 256",
                           "It does not find lip-synced clips.", "data:image/jpeg;base64,/9j/", "<svg"})
    EXPECT_THAT(html, HasSubstr(fact));
}

TEST(Html, StatesEachMemberOfAnEnsemble) {
  Report report = ExampleOfAnEnsemble();
  report.model.members[0].name = "<b>";
  const std::string html = ToHtml(report);
  EXPECT_THAT(html, HasSubstr("Each model alone: &lt;b&gt;:1 91.0 %, mine:7 logit 5.50"));
  EXPECT_THAT(html, HasSubstr("mine:7, not calibrated (runs elsewhere)"));
  EXPECT_THAT(ToHtml(ExampleReport()), Not(HasSubstr("Each model alone")));
}

TEST(Html, ListsSeveralFiles) {
  const std::vector<Outcome> outcomes = {{"clip.mp4", ExampleReport()},
                                         {"portrait.jpg", ExampleStill()},
                                         {"gone.mp4", Fail(ErrorCode::kNotFound, "no such file")}};
  const std::string html = ToHtml(outcomes);
  EXPECT_THAT(html, HasSubstr("Report on 3 files"));
  EXPECT_THAT(html, HasSubstr("<a href=\"#file-2\">portrait.jpg</a>"));
  EXPECT_THAT(html, HasSubstr("Not analysed"));
}

TEST(Html, IsTheSameEveryTime) { EXPECT_EQ(ToHtml(ExampleReport()), ToHtml(ExampleReport())); }

TEST(Html, SurvivesAReportWithNothingInIt) {
  EXPECT_THAT(ToHtml(Report{}), HasSubstr("Inconclusive"));
  EXPECT_THAT(ToHtml(std::span<const Outcome>{}), HasSubstr("Report on 0 files"));
}

TEST(Overlay, DrawsOnePictureForEachTrackOfAVideo) {
  Report report = ExampleReport();
  report.tracks.push_back(report.tracks[0]);
  report.tracks[1].id = 2;
  report.tracks.push_back(report.tracks[0]);
  report.tracks[2].best.whole.reset();  // nothing to draw on
  const auto overlays = DrawOverlays(report);
  ASSERT_EQ(overlays.size(), 2U);
  EXPECT_EQ(overlays[0].suffix, ".track1.jpg");
  EXPECT_EQ(overlays[1].suffix, ".track2.jpg");
}

TEST(Overlay, DrawsAllFacesOfAStillOnOnePicture) {
  Report report = ExampleStill();
  report.tracks.push_back(report.tracks[0]);
  const auto overlays = DrawOverlays(report);
  ASSERT_EQ(overlays.size(), 1U);
  EXPECT_EQ(overlays[0].suffix, ".faces.jpg");
}

TEST(Overlay, DrawsTheBoxWhereTheFaceIs) {
  const auto overlays = DrawOverlays(ExampleReport());
  ASSERT_EQ(overlays.size(), 1U);
  const Picture& picture = overlays[0].picture;
  const auto pixel = [&](int x, int y) {
    const std::size_t at = (static_cast<std::size_t>(y) * picture.width + x) * 3;
    return std::vector<int>{picture.bgr[at], picture.bgr[at + 1], picture.bgr[at + 2]};
  };
  EXPECT_EQ(pixel(206, 100), (std::vector<int>{38, 38, 200}));  // its left edge: x = 412 / 2
  EXPECT_EQ(pixel(258, 100), (std::vector<int>{128, 128, 128}));
  EXPECT_EQ(pixel(20, 300), (std::vector<int>{128, 128, 128}));
}

TEST(Overlay, SurvivesFacesBeyondTheEdgesAndTinyPictures) {
  Report report = ExampleReport();
  for (const Box& box : {Box{-500, -500, 3000, 3000}, Box{5000, 5000, 10, 10}, Box{0, 0, 0, 0}}) {
    report.tracks[0].best.box = box;
    EXPECT_EQ(DrawOverlays(report).size(), 1U);
  }
  report.tracks[0].best.whole = PlainPicture(1, 1);
  EXPECT_EQ(DrawOverlays(report).size(), 1U);
}

TEST(SafeFileName, KeepsPlainNames) { EXPECT_EQ(SafeFileName("some/folder/Größe-1_a.mp4"), "Größe-1_a.mp4"); }

TEST(SafeFileName, DefusesHostileOnes) {
  EXPECT_EQ(SafeFileName("../../etc/passwd"), "passwd");
  EXPECT_EQ(SafeFileName(".hidden"), "_hidden");
  EXPECT_EQ(SafeFileName("-rf"), "_rf");
  EXPECT_EQ(SafeFileName("a b:c|d?*\n.mp4"), "a_b_c_d___n.mp4");
  for (const char* name : {"", "/", ".", "..", "a/.."}) {
    const std::string safe = SafeFileName(name);
    EXPECT_FALSE(safe.empty() || safe[0] == '.') << name;
  }
  EXPECT_LE(SafeFileName(std::string(1000, 'x')).size(), 120U);
  const std::string cut = SafeFileName(std::string(119, 'x') + "人");
  EXPECT_EQ(cut, std::string(119, 'x'));
}

TEST(PictureIo, EncodesWhatOthersRead) {
  const auto jpeg = EncodeJpeg(*PlainPicture(20, 10, 77));
  const auto png = EncodePng(*PlainPicture(20, 10, 77));
  ASSERT_TRUE(jpeg && png);
  for (const std::string& bytes : {*jpeg, *png}) {
    const cv::Mat decoded =
        cv::imdecode(std::vector<unsigned char>(bytes.begin(), bytes.end()), cv::IMREAD_COLOR);
    ASSERT_EQ(decoded.size(), cv::Size(20, 10));
    EXPECT_NEAR(decoded.at<cv::Vec3b>(5, 5)[0], 77, 2);
  }
}

TEST(PictureIo, RefusesPicturesWithoutPixels) {
  for (const Picture& picture :
       {Picture{}, Picture{4, 4, {}}, Picture{-1, -1, {1, 2, 3}}, Picture{0, 5, {}}}) {
    EXPECT_EQ(EncodeJpeg(picture).error().code, ErrorCode::kBadRequest);
    EXPECT_EQ(EncodePng(picture).error().code, ErrorCode::kBadRequest);
  }
}

TEST(Words, SayEverythingAboutEveryVerdictAndReason) {
  const auto words = nlohmann::json::parse(WordsJson());
  EXPECT_EQ(words["verdicts"].size(), 3U);
  EXPECT_EQ(words["reasons"].size(), 11U);
  for (const auto& [name, entry] : words["reasons"].items()) {
    EXPECT_FALSE(entry["title"].get<std::string>().empty()) << name;
    EXPECT_FALSE(entry["meaning"].get<std::string>().empty()) << name;
  }
  EXPECT_EQ(QualityTitle("profile"), "seen from the side");
  EXPECT_EQ(QualityTitle("something_new"), "something_new");
}

TEST(Words, NeverClaimAuthenticity) {
  std::string words = WordsJson();
  std::transform(words.begin(), words.end(), words.begin(), [](unsigned char c) { return std::tolower(c); });
  EXPECT_FALSE(std::regex_search(words, std::regex("\\b(real|fake|deepfake|genuine)\\b"))) << words;
}

TEST(Words, NameTheFaceAndTheSeconds) {
  EXPECT_EQ(Summary(ExampleReport()), "Face 1 looks manipulated (98.1 %) from 2.0 s to 9.5 s.");
  EXPECT_EQ(Summary(ExampleStill()), "No trace of manipulation was found in the face (12.0 % at most).");
  Report nothing;
  nothing.reasons = {Reason::kNoFace};
  EXPECT_EQ(Summary(nothing), "No verdict is possible: no face found.");
}

TEST(Words, ExplainTheThresholds) {
  EXPECT_THAT(ThresholdsMeaning(
                  {.manipulated = 0.92, .clear = 0.35, .fpr_at_manipulated = 0.01, .fpr_at_clear = 0.13}),
              testing::AllOf(HasSubstr("92 %"), HasSubstr("35 %"), HasSubstr("1 %"), HasSubstr("13 %")));
}

}  // namespace
}  // namespace unmask
