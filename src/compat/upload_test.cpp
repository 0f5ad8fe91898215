// SPDX-License-Identifier: Apache-2.0
#include "compat/upload.hpp"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

using testing::ElementsAre;
using testing::Pair;

class NoSink : public http::ResponseSink {
  void Respond(http::Response) override {}
  std::shared_ptr<http::BodyStream> Stream(http::Response) override { return nullptr; }
};

struct Received {
  std::optional<Form> form;
  std::optional<Error> refused;

  std::string FileContent() const {
    std::ifstream file(form->file->media.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

Received Receive(const std::string& content_type, std::string_view body, FormRules rules = {},
                 std::size_t piece = 7) {
  rules.file_field = "image";
  http::Request request;
  if (!content_type.empty()) request.headers.Add("Content-Type", content_type);
  Received received;
  const auto receiver =
      ReceiveForm(std::make_shared<const http::Request>(std::move(request)), testing::TempDir(), rules,
                  [&](Form form, http::Responder) { received.form = std::move(form); });
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size())))
    if (const auto written = receiver->Write(body.substr(0, piece)); !written) {
      received.refused = written.error();
      return received;
    }
  receiver->Finish(http::Responder(std::make_unique<NoSink>()));
  return received;
}

constexpr const char* kType = "multipart/form-data; boundary=XX";

std::string Part(const std::string& disposition, const std::string& content) {
  return "--XX\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n";
}
std::string File(const std::string& content, const std::string& filename = "a.png") {
  return Part("name=\"image\"; filename=\"" + filename + "\"", content);
}
std::string Field(const std::string& name, const std::string& text) {
  return Part("name=\"" + name + "\"", text);
}
const std::string kEnd = "--XX--\r\n";

TEST(ReceiveForm, GivesTheFileAndTheFields) {
  const auto body = Field("num_frames", "5") + File("pixels") + Field("empty", "") + kEnd;
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    const auto got = Receive(kType, body, {}, piece);
    ASSERT_TRUE(got.form && got.form->file) << piece;
    EXPECT_EQ(got.FileContent(), "pixels");
    EXPECT_EQ(got.form->file->filename, "a.png");
    EXPECT_THAT(got.form->fields, ElementsAre(Pair("num_frames", "5"), Pair("empty", "")));
    EXPECT_EQ(*got.form->Find("num_frames"), "5");
    EXPECT_EQ(got.form->Find("other"), nullptr);
  }
}

TEST(ReceiveForm, TakesTheFirstOfTwoWhereFlaskDoesAndTheLastWhereFastApiDoes) {
  const auto body = Field("n", "1") + File("one", "1.png") + Field("n", "2") + File("two", "2.png") + kEnd;
  const auto first = Receive(kType, body);
  EXPECT_EQ(first.FileContent(), "one");
  EXPECT_EQ(first.form->file->filename, "1.png");
  EXPECT_EQ(*first.form->Find("n"), "1");
  const auto last = Receive(kType, body, {.twice = FormRules::Twice::kLast});
  EXPECT_EQ(last.FileContent(), "two");
  EXPECT_EQ(last.form->file->filename, "2.png");
  EXPECT_EQ(*last.form->Find("n"), "2");
}

TEST(ReceiveForm, TakesAnEmptyFileNameForAFileAndTextForAField) {
  EXPECT_EQ(Receive(kType, File("x", "") + kEnd).form->file->filename, "");
  const auto text = Receive(kType, Field("image", "x") + kEnd);
  EXPECT_FALSE(text.form->file.has_value());
  EXPECT_EQ(*text.form->Find("image"), "x");
}

TEST(ReceiveForm, DropsOtherFiles) {
  const auto got = Receive(kType, Part("name=\"other\"; filename=\"b\"", "x") + File("y") + kEnd);
  EXPECT_EQ(got.FileContent(), "y");
  EXPECT_TRUE(got.form->fields.empty());
}

TEST(ReceiveForm, KeepsNothingOfABrokenForm) {
  const std::string cut = File("pixels");
  for (const auto& body : {cut, cut + "--XX", cut + "--XX\r\n", File("x") + "--XXY" + kEnd,
                           std::string("no boundary at all"), std::string()}) {
    const auto got = Receive(kType, body);
    ASSERT_TRUE(got.form.has_value()) << body;
    EXPECT_TRUE(got.form->malformed.has_value()) << body;
    EXPECT_FALSE(got.form->file.has_value()) << body;
    EXPECT_TRUE(got.form->fields.empty()) << body;
  }
  EXPECT_TRUE(Receive("multipart/form-data", kEnd).form->malformed.has_value());
}

TEST(ReceiveForm, TakesThePartsBeforeAnEarlyEndWhereFastApiDoes) {
  const FormRules fast_api{.twice = FormRules::Twice::kLast, .ended_parts_count = true};
  const auto cut = Field("a", "1") + File("one") + Field("a", "2") + File("two");
  for (std::size_t size = 0; size <= cut.size(); ++size) {
    const auto got = Receive(kType, cut.substr(0, size), fast_api, 11);
    EXPECT_FALSE(got.form->malformed) << size;
    // A part ends where the next boundary is complete.
    const bool first_ended = size >= (Field("a", "1") + File("one")).size() + 4;
    EXPECT_EQ(got.form->file.has_value(), first_ended) << size;
    if (first_ended) EXPECT_EQ(got.FileContent(), "one") << size;
  }
  EXPECT_EQ(*Receive(kType, cut, fast_api).form->Find("a"), "2");
  EXPECT_TRUE(Receive(kType, "no boundary at all", fast_api).form->malformed);
  EXPECT_TRUE(Receive(kType, File("x") + "--XXY" + kEnd, fast_api).form->malformed);
}

TEST(ReceiveForm, LetsTextOfTheSameNameTakeTheFilesPlaceWhereFastApiDoes) {
  const auto body = File("pixels") + Field("image", "text") + kEnd;
  EXPECT_TRUE(Receive(kType, body).form->file);
  const auto last = Receive(kType, body, {.twice = FormRules::Twice::kLast});
  EXPECT_FALSE(last.form->file);
  EXPECT_EQ(*last.form->Find("image"), "text");
  EXPECT_TRUE(
      Receive(kType, Field("image", "text") + File("pixels") + kEnd, {.twice = FormRules::Twice::kLast})
          .form->file);
}

TEST(ReceiveForm, TakesOtherBodiesForFormsWithoutAFile) {
  for (const char* type : {"", "application/json", "image/png", "nonsense"}) {
    const auto got = Receive(type, "{\"image\": 1}");
    EXPECT_FALSE(got.form->malformed || got.form->file) << type;
    EXPECT_TRUE(got.form->fields.empty());
  }
  const auto encoded = Receive("application/x-www-form-urlencoded", "image=a%20b&n=1&n=2");
  EXPECT_THAT(encoded.form->fields, ElementsAre(Pair("image", "a b"), Pair("n", "1")));
}

TEST(ReceiveForm, BoundsText) {
  const std::string long_text(1000, 'a');
  EXPECT_EQ(Receive(kType, Field("a", long_text) + kEnd, {.max_text = 999}).refused->code,
            ErrorCode::kTooLarge);
  EXPECT_EQ(Receive(kType, Field("a", "12") + Field("a", "34") + kEnd, {.max_text = 3}).refused->code,
            ErrorCode::kTooLarge);
  EXPECT_FALSE(Receive(kType, File(long_text) + kEnd, {.max_text = 10}).refused.has_value());
  EXPECT_EQ(Receive("application/x-www-form-urlencoded", long_text, {.max_text = 999}).refused->code,
            ErrorCode::kTooLarge);
}

TEST(ReceiveForm, BoundsTheBody) {
  const auto body = File("pixels") + kEnd;
  EXPECT_FALSE(Receive(kType, body, {.max_body = body.size()}).refused.has_value());
  EXPECT_EQ(Receive(kType, body, {.max_body = body.size() - 1}).refused->code, ErrorCode::kTooLarge);
  EXPECT_EQ(Receive("image/png", body, {.max_body = 10}).refused->code, ErrorCode::kTooLarge);
}

TEST(LabelOf, IsTheNameWithoutFolders) {
  auto got = Receive(kType, File("x", "..\\\\evil/na me.png") + kEnd);
  EXPECT_EQ(LabelOf(*got.form->file, "image"), "na me.png");
  got = Receive(kType, File("x", "") + kEnd);
  EXPECT_EQ(LabelOf(*got.form->file, "image"), "image");
}

}  // namespace
}  // namespace unmask::compat
