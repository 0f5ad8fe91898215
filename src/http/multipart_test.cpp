// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::http {
namespace {

using testing::HasSubstr;

/// What the parser gave, as text: data pieces are joined, so that equal bodies give equal records.
class Recorder : public MultipartEvents {
 public:
  Result<void> OnPart(const MultipartPart& part) override {
    log += "<" + part.name + "|" + part.filename.value_or("-") + "|" + part.content_type + ">";
    return {};
  }
  Result<void> OnData(std::string_view bytes) override {
    EXPECT_FALSE(bytes.empty());
    log += bytes;
    return {};
  }
  Result<void> OnPartEnd() override {
    log += "</>";
    return {};
  }
  std::string log;
};

/// The events, then the error's message if there was one. `sizes` of the pieces repeat.
std::string Parse(std::string_view body, const std::vector<std::size_t>& sizes = {1u << 20},
                  std::string_view boundary = "XX", MultipartLimits limits = {}) {
  Recorder recorder;
  MultipartParser parser(boundary, recorder, limits);
  for (std::size_t i = 0; !body.empty(); ++i) {
    const auto piece = body.substr(0, sizes[i % sizes.size()]);
    body.remove_prefix(piece.size());
    if (const auto fed = parser.Feed(piece); !fed) return recorder.log + "!" + fed.error().message;
  }
  if (const auto finished = parser.Finish(); !finished) return recorder.log + "!" + finished.error().message;
  return recorder.log;
}

std::string Part(const std::string& disposition, const std::string& data) {
  return "--XX\r\nContent-Disposition: " + disposition + "\r\n\r\n" + data + "\r\n";
}

const std::string kTwoParts =
    "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n--XX\r\n"
    "content-disposition: form-data; name=\"file\"; filename=\"x.mp4\"\r\n"
    "Content-Type: video/mp4\r\n\r\n\r\n--X\r--XY\r\n--\r\n\r\n--XX--\r\nepilogue";

TEST(Multipart, GivesPartsAndTheirBytes) {
  EXPECT_EQ(Parse(kTwoParts), "<a|-|>1\r\n2</><file|x.mp4|video/mp4>\r\n--X\r--XY\r\n--\r\n</>");
}

TEST(Multipart, GivesTheSameEventsHoweverTheBodyIsSplit) {
  const auto whole = Parse(kTwoParts);
  for (std::size_t at = 1; at < kTwoParts.size(); ++at)
    EXPECT_EQ(Parse(kTwoParts, {at, kTwoParts.size()}), whole) << at;
  for (std::size_t size = 1; size < 40; ++size) EXPECT_EQ(Parse(kTwoParts, {size}), whole) << size;
}

TEST(Multipart, FindsRandomDataAgainThatResemblesBoundaries) {
  std::mt19937 random(7);
  const std::string alphabet = "\r\n-X";
  for (int round = 0; round < 2000; ++round) {
    std::string data;
    for (int i = 0; i < 24; ++i) data += alphabet[random() % alphabet.size()];
    if (data.find("\r\n--XX") != std::string::npos || ("\r\n" + data).find("\r\n--XX") != std::string::npos)
      continue;
    const auto body = Part("form-data; name=f", data) + "--XX--";
    ASSERT_EQ(Parse(body), "<f|-|>" + data + "</>");
    ASSERT_EQ(Parse(body, {1 + random() % 9, 1 + random() % 9, 1 + random() % 9}), "<f|-|>" + data + "</>");
  }
}

TEST(Multipart, RejectsEverySplitOfABrokenBodyAlike) {
  const std::string broken =
      "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\nnonsense\r\n\r\n1\r\n--XX--";
  const auto whole = Parse(broken);
  EXPECT_THAT(whole, HasSubstr("not 'Name: value'"));
  for (std::size_t at = 1; at < broken.size(); ++at)
    EXPECT_EQ(Parse(broken, {at, broken.size()}), whole) << at;
}

TEST(Multipart, AcceptsAnEmptyFile) {
  EXPECT_EQ(Parse(Part("form-data; name=\"file\"; filename=\"e\"", "") + "--XX--\r\n"), "<file|e|></>");
}

TEST(Multipart, AcceptsAPartWhoseHeaderTouchesTheNextBoundary) {
  const std::string body = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n--XX--";
  EXPECT_EQ(Parse(body), "<a|-|></>");
  EXPECT_EQ(Parse(body, {1}), "<a|-|></>");
}

TEST(Multipart, AcceptsPreambleAndWhiteSpaceAfterBoundaries) {
  EXPECT_EQ(Parse("hello\r\n--XX \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--  \r\n"),
            "<a|-|>1</>");
}

TEST(Multipart, NeedsTheFinalBoundary) {
  EXPECT_THAT(Parse(Part("form-data; name=a", "1")), HasSubstr("final boundary is missing"));
  EXPECT_THAT(Parse(Part("form-data; name=a", "1") + "--XX-"), HasSubstr("final boundary is missing"));
  EXPECT_THAT(Parse("--XX\r\nContent-Disp"), HasSubstr("final boundary is missing"));
}

TEST(Multipart, NoticesAWrongBoundary) {
  EXPECT_THAT(Parse(kTwoParts, {100}, "YY"), HasSubstr("does not occur"));
  EXPECT_THAT(Parse("", {1}), HasSubstr("does not occur"));
  EXPECT_THAT(Parse(std::string(1 << 20, 'x'), {65536}), HasSubstr("first 4096 bytes"));
}

TEST(Multipart, RefusesTextAfterABoundary) {
  EXPECT_THAT(Parse("--XXY\r\n\r\n"), HasSubstr("something else than a line's end"));
  EXPECT_THAT(Parse("--XX\r\r\n"), HasSubstr("something else than a line's end"));
  EXPECT_THAT(Parse("--XX" + std::string(1000, ' ')), HasSubstr("too much white space"));
}

TEST(Multipart, UnderstandsTheWaysToWriteAFileName) {
  const auto name = [](const std::string& parameters) {
    const auto log = Parse(Part("form-data; name=f; " + parameters, "") + "--XX--");
    return log.starts_with("<f|") ? log.substr(3, log.find("|>") - 3) : log;
  };
  EXPECT_EQ(name("filename=plain.mp4"), "plain.mp4");
  EXPECT_EQ(name("filename=\"two words.mp4\""), "two words.mp4");
  EXPECT_EQ(name(R"(filename="a\"b\\c.mp4")"), R"(a"b\c.mp4)");
  EXPECT_EQ(name(R"(filename="C:\clips\a.mp4")"), R"(C:\clips\a.mp4)");
  EXPECT_EQ(name("filename=\"a;b.mp4\""), "a;b.mp4");
  EXPECT_EQ(name("filename*=UTF-8''na%C3%AFve.mp4"), "na\u00efve.mp4");
  EXPECT_EQ(name("filename*=iso-8859-1'fr'na%EFve.mp4"), "na\u00efve.mp4");
  EXPECT_EQ(name("filename=\"x\"; filename*=utf-8''better"), "better");
  EXPECT_THAT(name("filename*=utf-8''%zz"), HasSubstr("RFC 8187"));
  EXPECT_THAT(name("filename*=koi8-r''x"), HasSubstr("RFC 8187"));
  EXPECT_THAT(name("filename=\"unclosed"), HasSubstr("not form-data"));
}

TEST(Multipart, RefusesPartsWithoutAProperHeader) {
  EXPECT_THAT(Parse("--XX\r\n\r\n1\r\n--XX--"), HasSubstr("no Content-Disposition"));
  EXPECT_THAT(Parse(Part("attachment; name=a", "")), HasSubstr("not form-data"));
  EXPECT_THAT(Parse(Part("form-data", "")), HasSubstr("no name"));
  EXPECT_THAT(Parse(Part("form-data; name=\"\"", "")), HasSubstr("no name"));
  EXPECT_THAT(Parse(Part("form-data; name=a; name=b", "")), HasSubstr("not form-data"));
  EXPECT_THAT(Parse(Part("form-data; name=a\r\nContent-Disposition: form-data; name=b", "")),
              HasSubstr("two Content-Disposition"));
  EXPECT_THAT(Parse(Part("form-data; name=a\r\n folded", "")), HasSubstr("not 'Name: value'"));
  EXPECT_THAT(Parse(Part("form-data; name=a\r\nContent-Transfer-Encoding: base64", "")),
              HasSubstr("not supported"));
  EXPECT_THAT(Parse(Part(std::string("form-data; name=\"a\0b\"", 21), "")), HasSubstr("control character"));
  EXPECT_THAT(Parse("--XX\r\nContent-Disposition: form-data; name=a\n\n1\r\n--XX--"), HasSubstr("!"));
}

TEST(Multipart, KeepsItsLimits) {
  const auto end = std::string("--XX--");
  EXPECT_THAT(Parse(Part("form-data; name=a", "") + Part("form-data; name=b", "") + end, {99}, "XX",
                    {.max_parts = 1}),
              HasSubstr("more than 1 parts"));
  EXPECT_THAT(Parse(Part("form-data; name=" + std::string(300, 'n'), "") + end), HasSubstr("name is longer"));
  EXPECT_THAT(Parse(Part("form-data; name=a; filename=" + std::string(2000, 'n'), "") + end),
              HasSubstr("file name is longer"));
  EXPECT_THAT(Parse(Part("form-data; name=a\r\nX: " + std::string(10'000, 'n'), "") + end),
              HasSubstr("longer than 8192"));
  std::string many;
  for (int i = 0; i < 20; ++i) many += "\r\nX: y";
  EXPECT_THAT(Parse(Part("form-data; name=a" + many, "") + end), HasSubstr("more than 16 header fields"));
}

TEST(Multipart, EndsWithTheErrorOfItsEvents) {
  class Full : public Recorder {
    Result<void> OnData(std::string_view) override { return Fail(ErrorCode::kInternal, "disk full"); }
  } events;
  MultipartParser parser("XX", events);
  EXPECT_EQ(parser.Feed(kTwoParts).error().message, "disk full");
  EXPECT_FALSE(parser.Feed("more"));
  EXPECT_FALSE(parser.Finish());
}

TEST(Boundary, IsTakenFromTheContentType) {
  EXPECT_EQ(*ParseBoundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(*ParseBoundary("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b:c\""), "a b:c");
  EXPECT_EQ(*ParseBoundary("multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"),
            "----WebKitFormBoundary7MA4YWxkTrZu0gW");
}

TEST(Boundary, MustBeAsRfc2046Says) {
  for (const std::string bad :
       {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=\"a\r\"",
        "multipart/form-data; boundary=\"a\"x"})
    EXPECT_FALSE(ParseBoundary(bad)) << bad;
  EXPECT_FALSE(ParseBoundary("multipart/form-data; boundary=" + std::string(71, 'b')));
  EXPECT_EQ(ParseBoundary("text/plain; boundary=a").error().code, ErrorCode::kUnsupportedMedia);
}

TEST(MediaType, IsParsedWithItsParameters) {
  const auto media = ParseMediaType("Text/HTML; Charset=\"utf-8\" ;; q=1");
  ASSERT_TRUE(media);
  EXPECT_EQ(media->type, "text/html");
  EXPECT_EQ(*media->Find("charset"), "utf-8");
  EXPECT_EQ(media->Find("none"), nullptr);
  for (const auto* bad : {"", ";", "a b", "a; b", "a; b=\"c", "a; b=c; b=d"})
    EXPECT_FALSE(ParseMediaType(bad)) << bad;
}

}  // namespace
}  // namespace unmask::http
