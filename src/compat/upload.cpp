// SPDX-License-Identifier: Apache-2.0
#include "compat/upload.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/upload.hpp"
#include "http/multipart.hpp"
#include "http/query.hpp"

namespace unmask::compat {
namespace {

using Complete = std::function<void(Form, http::Responder)>;

/// Counts bytes and, in the end, hands the form on.
class Receiver : public http::BodyReceiver {
 public:
  Receiver(FormRules rules, Complete on_complete)
      : rules_(std::move(rules)), on_complete_(std::move(on_complete)) {}

  Result<void> Write(std::string_view bytes) final {
    body_bytes_ += bytes.size();
    if (body_bytes_ > rules_.max_body)
      return Fail(ErrorCode::kTooLarge,
                  fmt::format("the body is larger than the {} bytes that are accepted", rules_.max_body));
    return Take(bytes);
  }

  void Finish(http::Responder responder) final {
    End();
    if (form_.malformed) {
      form_.file.reset();
      form_.fields.clear();
    }
    on_complete_(std::move(form_), std::move(responder));
  }

 protected:
  virtual Result<void> Take(std::string_view bytes) = 0;
  virtual void End() = 0;

  Result<void> CountText(std::size_t bytes) {
    text_bytes_ += bytes;
    if (text_bytes_ <= rules_.max_text) return {};
    return Fail(
        ErrorCode::kTooLarge,
        fmt::format("the form's text is longer than the {} bytes that are accepted", rules_.max_text));
  }

  /// The place for a field's text; null when an earlier one counts.
  std::string* Place(const std::string& name) {
    const auto known = std::find_if(form_.fields.begin(), form_.fields.end(),
                                    [&](const auto& field) { return field.first == name; });
    if (known == form_.fields.end()) return &form_.fields.emplace_back(name, "").second;
    if (rules_.twice == FormRules::Twice::kFirst) return nullptr;
    known->second.clear();
    return &known->second;
  }

  const FormRules rules_;
  Form form_;

 private:
  Complete on_complete_;
  std::uint64_t body_bytes_ = 0;
  std::size_t text_bytes_ = 0;
};

class MultipartForm : public Receiver, private http::MultipartEvents {
 public:
  MultipartForm(FormRules rules, Complete on_complete, const std::filesystem::path& folder,
                const std::string& boundary)
      : Receiver(std::move(rules), std::move(on_complete)),
        folder_(folder),
        parser_(boundary, *this, {.max_parts = rules_.max_parts}) {}

 protected:
  Result<void> Take(std::string_view bytes) override {
    if (form_.malformed) return {};  // the rest is read and dropped, as the client expects to send it
    auto fed = parser_.Feed(bytes);
    if (fed || refused_) return fed;
    form_.malformed = fed.error();
    form_.file.reset();
    return {};
  }

  void End() override {
    if (form_.malformed) return;
    if (const auto finished = parser_.Finish(); !finished) form_.malformed = finished.error();
  }

 private:
  Result<void> OnPart(const http::MultipartPart& part) override {
    text_ = nullptr;
    to_file_ = false;
    if (!part.filename) {
      counted_ = true;
      text_ = Place(part.name);
      return {};
    }
    counted_ = false;
    const bool taken = form_.file && rules_.twice == FormRules::Twice::kFirst;
    if (part.name != rules_.file_field || taken) return {};
    auto media = PrivateFile::Create(folder_);
    if (!media) return Refuse(tl::unexpected(media.error()));
    form_.file.emplace(FormFile{std::move(*media), *part.filename, part.content_type});
    to_file_ = true;
    return {};
  }

  Result<void> OnData(std::string_view bytes) override {
    if (to_file_) return Refuse(form_.file->media.Append(bytes));
    if (!counted_) return {};
    if (auto counted = CountText(bytes.size()); !counted) return Refuse(std::move(counted));
    if (text_) *text_ += bytes;
    return {};
  }

  Result<void> OnPartEnd() override { return {}; }

  /// Remembers that a failure is ours and not the form's.
  Result<void> Refuse(Result<void> result) {
    refused_ = !result;
    return result;
  }

  const std::filesystem::path folder_;
  http::MultipartParser parser_;
  std::string* text_ = nullptr;
  bool counted_ = false;
  bool to_file_ = false;
  bool refused_ = false;
};

class UrlencodedForm : public Receiver {
 public:
  using Receiver::Receiver;

 protected:
  Result<void> Take(std::string_view bytes) override {
    if (auto counted = CountText(bytes.size()); !counted) return counted;
    text_ += bytes;
    return {};
  }
  void End() override {
    const auto fields = http::ParseQuery(text_);
    if (!fields) return;
    for (const auto& [name, value] : *fields)
      if (auto* place = Place(name)) *place = value;
  }

 private:
  std::string text_;
};

/// A body that is no form.
class NoForm : public Receiver {
 public:
  NoForm(FormRules rules, Complete on_complete, std::optional<Error> malformed)
      : Receiver(std::move(rules), std::move(on_complete)) {
    form_.malformed = std::move(malformed);
  }

 protected:
  Result<void> Take(std::string_view) override { return {}; }
  void End() override {}
};

}  // namespace

const std::string* Form::Find(std::string_view name) const {
  for (const auto& [key, text] : fields)
    if (key == name) return &text;
  return nullptr;
}

std::string LabelOf(const FormFile& file, const char* standard) {
  auto label = CleanLabel(file.filename);
  return label.empty() ? standard : label;
}

std::unique_ptr<http::BodyReceiver> ReceiveForm(const http::RequestPtr& request,
                                                const std::filesystem::path& folder, FormRules rules,
                                                Complete on_complete) {
  const auto* header = request->headers.Find("Content-Type");
  const auto type = header ? http::ParseMediaType(*header) : std::nullopt;
  if (type && type->type == "application/x-www-form-urlencoded")
    return std::make_unique<UrlencodedForm>(std::move(rules), std::move(on_complete));
  if (!type || type->type != "multipart/form-data")
    return std::make_unique<NoForm>(std::move(rules), std::move(on_complete), std::nullopt);
  const auto boundary = http::ParseBoundary(*header);
  if (!boundary) return std::make_unique<NoForm>(std::move(rules), std::move(on_complete), boundary.error());
  return std::make_unique<MultipartForm>(std::move(rules), std::move(on_complete), folder, *boundary);
}

}  // namespace unmask::compat
