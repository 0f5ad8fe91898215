// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/heif_outline.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace unmask::decoder {
namespace {

using Bytes = std::span<const unsigned char>;

// Far more than cameras write. libheif looks each item up in lists of the others, and of properties.
constexpr std::size_t kMaxItems = 5'000;
constexpr std::size_t kMaxAssociations = 64 * kMaxItems;  // bytes
constexpr std::uint64_t kMaxExtents = 32;                 // libheif's own limit
// A tile of a grid with an alpha channel that is a grid, whose tiles are.
constexpr int kMaxLevels = 4;

// Bytes, read from the start. What is beyond the end is zero, and remembered.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}

  std::uint64_t Number(std::uint64_t size) {
    std::uint64_t value = 0;
    for (const unsigned char byte : Take(size)) value = value << 8 | byte;
    return value;
  }
  std::uint32_t U16() { return static_cast<std::uint32_t>(Number(2)); }
  std::uint32_t U32() { return static_cast<std::uint32_t>(Number(4)); }

  Bytes Take(std::uint64_t size) {
    if (size > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    const Bytes taken = bytes_.first(static_cast<std::size_t>(size));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

  bool empty() const { return bytes_.empty(); }
  std::size_t left() const { return bytes_.size(); }
  bool good() const { return good_; }

 private:
  Bytes bytes_;
  bool good_ = true;
};

constexpr std::uint32_t Code(std::string_view four) {
  std::uint32_t code = 0;
  for (const char c : four) code = code << 8 | static_cast<unsigned char>(c);
  return code;
}

struct Box {
  std::uint32_t type = 0;
  Bytes content;
};

// The next box; nothing when it is broken or reaches beyond the end. One of size 0 goes to the end.
std::optional<Box> NextBox(Cursor& from) {
  const std::size_t before = from.left();
  std::uint64_t size = from.U32();
  const std::uint32_t type = from.U32();
  if (size == 1) size = from.Number(8);
  if (size == 0) size = before;
  if (type == Code("uuid")) from.Take(16);
  const std::size_t header = before - from.left();
  if (!from.good() || size < header) return {};
  const Bytes content = from.Take(size - header);
  if (!from.good()) return {};
  return Box{type, content};
}

struct FullBox {
  std::uint32_t version = 0;
  Cursor content;
};

FullBox OpenFull(Bytes content) {
  Cursor cursor(content);
  const std::uint32_t version = cursor.U32() >> 24;
  return {version, cursor};
}

struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct Place {
  std::uint64_t method = 0;  // 0: in the file, 1: in 'idat'
  std::vector<Extent> extents;
};

struct Item {
  std::uint32_t type = 0;
  std::vector<std::uint32_t> parts;   // that it is derived from ('dimg')
  std::vector<std::uint32_t> beside;  // auxiliary pictures, such as its alpha channel ('auxl')
  std::optional<int> levels;          // below it, once they are known
};

bool IsDerived(std::uint32_t type) {
  return type == Code("grid") || type == Code("iden") || type == Code("iovl");
}

class Reading {
 public:
  explicit Reading(Bytes file) : file_(file) {}

  std::optional<HeifOutline> Read() {
    const bool good = ReadFile() && ReadCanvases() && primary_ && Levels(*primary_, 0);
    if (!good) return {};
    std::uint32_t coding = items_[*primary_].type;
    std::uint32_t id = *primary_;
    for (int level = 0; level < kMaxLevels && IsDerived(coding) && !items_[id].parts.empty(); ++level) {
      id = items_[id].parts.front();
      coding = items_[id].type;
    }
    if (overlay_) {
      coding = Code("iovl");
    } else if (coding == 0 || IsDerived(coding)) {
      return {};
    }
    for (int shift = 24; shift >= 0; shift -= 8)
      outline_.coding.push_back(static_cast<char>(coding >> shift & 0xFF));
    return std::move(outline_);
  }

 private:
  bool ReadFile() {
    bool found = false;
    for (Cursor top(file_); !top.empty();) {
      const auto box = NextBox(top);
      if (!box) break;  // what is cut off may be of no matter
      if (box->type != Code("meta")) continue;
      if (found || !ReadMeta(box->content)) return false;
      found = true;
    }
    return found;
  }

  bool ReadMeta(Bytes meta) {
    Cursor cursor = OpenFull(meta).content;
    while (!cursor.empty()) {
      const auto box = NextBox(cursor);
      if (!box || !ReadPart(*box)) return false;
    }
    return cursor.good();
  }

  bool ReadPart(const Box& box) {
    switch (box.type) {
      case Code("pitm"):
        return ReadPrimary(box.content);
      case Code("iinf"):
        return ReadItems(box.content);
      case Code("iref"):
        return ReadReferences(box.content);
      case Code("iloc"):
        return ReadPlaces(box.content);
      case Code("iprp"):
        return ReadProperties(box.content);
      case Code("idat"):
        if (!idat_) idat_ = box.content;
        return true;
      default:
        return true;
    }
  }

  bool ReadPrimary(Bytes content) {
    auto [version, cursor] = OpenFull(content);
    const std::uint32_t id = version == 0 ? cursor.U16() : cursor.U32();
    if (!primary_) primary_ = id;
    return cursor.good();
  }

  bool ReadItems(Bytes content) {
    auto [version, cursor] = OpenFull(content);
    cursor.Number(version == 0 ? 2 : 4);  // how many, which the boxes tell as well
    while (!cursor.empty()) {
      const auto box = NextBox(cursor);
      if (!box) return false;
      if (box->type != Code("infe")) continue;
      auto [entry_version, entry] = OpenFull(box->content);
      const std::uint32_t id = entry_version <= 2 ? entry.U16() : entry.U32();
      entry.U16();  // protection
      const std::uint32_t type = entry_version >= 2 ? entry.U32() : 0;
      if (!entry.good()) return false;
      if (items_[id].type == 0) items_[id].type = type;
      if (items_.size() > kMaxItems) return false;
    }
    return cursor.good();
  }

  bool ReadReferences(Bytes content) {
    auto [version, cursor] = OpenFull(content);
    const std::uint64_t width = version == 0 ? 2 : 4;
    while (!cursor.empty()) {
      const auto box = NextBox(cursor);
      if (!box) return false;
      Cursor reference(box->content);
      const auto from = static_cast<std::uint32_t>(reference.Number(width));
      const std::uint32_t count = reference.U16();
      // libheif goes by the count, so a box of another size would be read in two ways.
      if (!reference.good() || reference.left() != count * width) return false;
      for (std::uint32_t i = 0; i < count; ++i) {
        const auto to = static_cast<std::uint32_t>(reference.Number(width));
        if (box->type == Code("dimg")) items_[from].parts.push_back(to);
        if (box->type == Code("auxl")) items_[to].beside.push_back(from);
      }
      if (++references_ > 2 * kMaxItems || items_.size() > 2 * kMaxItems) return false;
    }
    return cursor.good();
  }

  // Where each item's bytes are.
  bool ReadPlaces(Bytes content) {
    auto [version, cursor] = OpenFull(content);
    if (version > 2) return false;
    const std::uint32_t sizes = cursor.U16();
    const std::uint32_t offset_size = sizes >> 12;
    const std::uint32_t length_size = sizes >> 8 & 15;
    const std::uint32_t base_size = sizes >> 4 & 15;
    const std::uint32_t index_size = version == 0 ? 0 : sizes & 15;
    // libheif knows no other sizes, and no index in version 1.
    for (const std::uint32_t size : {offset_size, length_size, base_size, index_size})
      if (size != 0 && size != 4 && size != 8) return false;
    if (version == 1 && index_size != 0) return false;
    const std::uint64_t count = cursor.Number(version < 2 ? 2 : 4);
    if (count > kMaxItems) return false;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto id = static_cast<std::uint32_t>(cursor.Number(version < 2 ? 2 : 4));
      Place place;
      if (version > 0) place.method = cursor.U16() & 15;
      cursor.U16();  // another file, which nobody reads
      const std::uint64_t base = cursor.Number(base_size);
      const std::uint32_t extents = cursor.U16();
      if (extents > kMaxExtents) return false;
      for (std::uint32_t k = 0; k < extents; ++k) {
        cursor.Number(index_size);
        const std::uint64_t offset = cursor.Number(offset_size);
        const std::uint64_t length = cursor.Number(length_size);
        if (base + offset < base || length > file_.size()) return false;
        place.extents.push_back({base + offset, length});
        held_ += length;
      }
      // libheif copies each item; no honest file names its bytes many times over.
      if (!cursor.good() || held_ > 2 * file_.size()) return false;
      places_.emplace(id, std::move(place));
    }
    return true;
  }

  bool ReadProperties(Bytes content) {
    for (Cursor groups(content); !groups.empty();) {
      const auto group = NextBox(groups);
      if (!group) return false;
      if (group->type == Code("ipma") && group->content.size() > kMaxAssociations) return false;
      if (group->type != Code("ipco")) continue;
      for (Cursor properties(group->content); !properties.empty();) {
        const auto property = NextBox(properties);
        if (!property) return false;
        if (property->type != Code("ispe")) continue;
        Cursor size = OpenFull(property->content).content;
        const std::uint32_t width = size.U32();
        outline_.sizes.push_back({width, size.U32()});
        if (!size.good()) return false;
      }
    }
    return true;
  }

  // The first bytes of an item, or fewer when it has no more.
  std::vector<unsigned char> Head(std::uint32_t id, std::size_t count) const {
    std::vector<unsigned char> head;
    const auto place = places_.find(id);
    if (place == places_.end()) return head;
    const Bytes source = place->second.method == 0 ? file_ : idat_.value_or(Bytes());
    for (const Extent& extent : place->second.extents) {
      if (extent.offset > source.size()) break;
      const Bytes rest = source.subspan(static_cast<std::size_t>(extent.offset));
      const auto size = std::min<std::uint64_t>({extent.length, rest.size(), count - head.size()});
      head.insert(head.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
    }
    return head;
  }

  // The sizes that grids and overlays say they have, for which libheif allocates before it decodes a part.
  bool ReadCanvases() {
    for (const auto& [id, item] : items_) {
      if (item.type != Code("grid") && item.type != Code("iovl")) continue;
      const auto head = Head(id, 20);
      Cursor cursor(head);
      cursor.Number(1);  // version
      const std::uint64_t width = cursor.Number(1) & 1 ? 4 : 2;
      cursor.Number(item.type == Code("grid") ? 2 : 8);  // rows and columns, or a colour
      const auto across = static_cast<std::uint32_t>(cursor.Number(width));
      const auto down = static_cast<std::uint32_t>(cursor.Number(width));
      if (!cursor.good()) return false;
      outline_.sizes.push_back({across, down});
    }
    return true;
  }

  // How many levels of pictures are below this one; nothing when they are too many, or one is its own part.
  std::optional<int> Levels(std::uint32_t id, int above) {
    if (above > kMaxLevels) return {};
    Item& item = items_[id];
    if (item.type == Code("iovl")) overlay_ = true;
    if (!item.levels) {
      int below = 0;
      for (const auto* others : {&item.parts, &item.beside}) {
        for (const std::uint32_t other : *others) {
          const auto levels = Levels(other, above + 1);
          if (!levels) return {};
          below = std::max(below, *levels + 1);
        }
      }
      item.levels = below;
    }
    if (above + *item.levels > kMaxLevels) return {};
    return item.levels;
  }

  Bytes file_;
  std::optional<Bytes> idat_;
  std::optional<std::uint32_t> primary_;
  std::map<std::uint32_t, Item> items_;
  std::map<std::uint32_t, Place> places_;
  std::size_t references_ = 0;
  std::uint64_t held_ = 0;  // bytes of all items together
  bool overlay_ = false;
  HeifOutline outline_;
};

}  // namespace

std::optional<HeifOutline> ReadHeifOutline(Bytes file) { return Reading(file).Read(); }

}  // namespace unmask::decoder
