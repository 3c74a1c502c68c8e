-- evalkit's one pandoc filter, the same for both publishers.
-- Quarto runs it before it reads anything itself (`at: pre-ast`): what it finds afterwards are finished figures, tables
-- and references, of which it makes nothing of its own, and which start no helper process.

local is_typst = FORMAT:match("typst") ~= nil

local function typst(text) return pandoc.RawBlock("typst", text) end
local function html(text) return pandoc.RawBlock("html", text) end

-- A Typst string literal: only backslash and quote need care.
local function literal(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"'):gsub("\n", " ") .. '"'
end

-- Words that Typst would read as something else at the start of a cell or caption (a list, a heading), or wherever they
-- stand (an ellipsis, a soft hyphen, a minus): pandoc escapes them at the start of paragraphs only.
local function literal_words(document)
  return document:walk({
    Str = function(str)
      local text = str.text
      if text:find("^[-+=/]") or text:find("^%d+[.)]$") or text:find("...", 1, true) or text:find("%-[?%d]") or text:find("[%[%]]") then
        local marks = { ["["] = "\\u{5b}", ["]"] = "\\u{5d}" } -- brackets in pairs are looked for below
        return pandoc.RawInline("typst", (text:gsub("%p", function(mark) return marks[mark] or "\\" .. mark end)))
      end
    end,
  })
end

-- Boxes: ::: {.finding}, {.caveat}, {.help}, {.absent}, {.note} ---------------------------------------------------------

local boxes = { finding = true, caveat = true, help = true, absent = true, note = true, keep = true, newpage = true }

-- ::: {.annex}: from here on in smaller letters. Empty, because an annex holds outputs of many cells.
local function annex(div)
  if div.classes:includes("annex") and is_typst then return typst("#show: ek-annex") end
end

local function box(div)
  for _, class in ipairs(div.classes) do
    if boxes[class] and is_typst then
      local blocks = pandoc.List({ typst("#ek-" .. class .. "[") })
      blocks:extend(div.content)
      blocks:insert(typst("]"))
      return blocks
    end
  end
end

-- In print a link to a section says its page -------------------------------------------------------------------

local page_word = "page"

local function section_link(link)
  local id = link.target:match("^#(sec%-[%w_-]+)$")
  if not id or not is_typst then return nil end
  local found = pandoc.Inlines({ pandoc.RawInline("typst", "#link(<" .. id .. ">)[") })
  found:extend(link.content)
  found:insert(pandoc.RawInline("typst", "] (" .. page_word .. "~#context counter(page).at(<" .. id .. ">).first())"))
  return found
end

-- Columns as wide as their longest text asks for (within bounds), so that every table fills the text's width.
local function with_widths(grid)
  if grid.colspecs[1][2] then return grid end -- the table says it itself
  local longest = {}
  local function measure(rows)
    for _, row in ipairs(rows) do
      local place = 1
      for _, cell in ipairs(row.cells) do
        if cell.col_span == 1 then
          local length = utf8.len(pandoc.utils.stringify(cell.contents)) or 1
          if cell.alignment ~= "AlignRight" and length > 20 then length = 20 + (length - 20) * 0.25 end
          longest[place] = math.max(longest[place] or 1, length)
        end
        place = place + cell.col_span
      end
    end
  end
  measure(grid.head.rows)
  for _, body in ipairs(grid.bodies) do measure(body.body) end
  local total = 0
  for i = 1, #grid.colspecs do
    longest[i] = math.min(math.max(longest[i] or 1, 7), 44) + 5
    total = total + longest[i]
  end
  for i, spec in ipairs(grid.colspecs) do grid.colspecs[i] = { spec[1], longest[i] / total } end
  return grid
end

-- How many lines a table takes, about: one that is short stays whole, a longer one goes on on the next page.
local letters_of_page, most_lines = 118, 13

local function lines_of(grid)
  local lines = 0
  local function count(rows)
    for _, row in ipairs(rows) do
      local place, most = 1, 1
      for _, cell in ipairs(row.cells) do
        local width = 0
        for i = place, place + cell.col_span - 1 do width = width + (grid.colspecs[i][2] or 0) end
        place = place + cell.col_span
        local letters = utf8.len(pandoc.utils.stringify(cell.contents)) or 0
        most = math.max(most, math.ceil(letters / (letters_of_page * math.max(width, 0.05))))
      end
      lines = lines + most
    end
  end
  count(grid.head.rows)
  for _, body in ipairs(grid.bodies) do count(body.body) end
  count(grid.foot.rows)
  return lines
end

-- A row that is one cell across the table heads the rows below it.
local function heads_in_bold(grid)
  for _, body in ipairs(grid.bodies) do
    local rows = pandoc.List(body.head) .. pandoc.List(body.body)
    body.head, body.body = {}, rows
    for _, row in ipairs(rows) do
      if #row.cells == 1 and row.cells[1].col_span > 1 then
        row.cells[1].contents = row.cells[1].contents:walk({
          Plain = function(plain) return pandoc.Plain({ pandoc.Strong(plain.content) }) end,
        })
      end
    end
  end
  return grid
end

-- Numbers, in order of appearance ------------------------------------------------------------------------------

local numbers, counters = {}, { fig = 0, tbl = 0 }
local words = { fig = "Figure", tbl = "Table" }
local sections = {} -- a section has no number: it is named by its title

local function named(meta)
  for prefix, key in pairs({ fig = "ek-figure", tbl = "ek-table" }) do
    if meta[key] then words[prefix] = pandoc.utils.stringify(meta[key]) end
  end
end

local function prefix_of(id)
  local prefix = id:match("^(%a+)%-")
  return prefix and counters[prefix] and prefix or nil
end

local function number(id)
  local prefix = prefix_of(id)
  if prefix and not numbers[id] then
    counters[prefix] = counters[prefix] + 1
    numbers[id] = counters[prefix]
  end
end

local collect = {
  traverse = "topdown",
  Figure = function(figure) if figure.identifier ~= "" then number(figure.identifier) end end,
  Div = function(div) if div.identifier ~= "" then number(div.identifier) end end,
  Header = function(header) sections[header.identifier] = header.content end,
}

-- Cross-references: pandoc reads @fig-x as a citation -----------------------------------------------------------

local function reference(cite)
  local found = pandoc.List()
  for i, citation in ipairs(cite.citations) do
    local prefix, section = prefix_of(citation.id), citation.id:match("^sec%-") and sections[citation.id]
    if not prefix and not section then return nil end
    if i > 1 then found:insert(pandoc.Str(", ")) end
    if section then
      local named = pandoc.Link(section, "#" .. citation.id, "", { class = "reference" })
      found:extend(section_link(named) or { named })
    elseif is_typst then
      found:insert(pandoc.RawInline("typst", "#ref(<" .. citation.id .. ">)"))
    elseif numbers[citation.id] then
      local text = words[prefix] .. "\u{a0}" .. numbers[citation.id]
      found:insert(pandoc.Link(text, "#" .. citation.id, "", { class = "reference" }))
    else
      error("evalkit: reference @" .. citation.id .. " leads nowhere")
    end
  end
  return found
end

-- Figures --------------------------------------------------------------------------------------------------------

local function caption_in_html(id, inlines)
  local prefix = prefix_of(id)
  local head = pandoc.Inlines({ pandoc.Span(words[prefix] .. "\u{a0}" .. numbers[id] .. ". ", { class = "number" }) })
  head:extend(inlines)
  return head
end

-- In the PDF a figure that does not fit goes to the next page as a whole; the note that follows it goes with it.
local notes = {}

local function notes_of_figures(blocks)
  local kept = pandoc.List()
  local last
  for _, block in ipairs(blocks) do
    if block.t == "Figure" then
      last = block.identifier
    elseif last and block.t == "Div" and block.classes:includes("note") then
      notes[last] = pandoc.List({ typst("#ek-figure-note[") })
      notes[last]:extend(block.content)
      notes[last]:insert(typst("]"))
      block, last = nil, nil
    elseif not (block.t == "RawBlock" and block.format == "html") then
      last = nil
    end
    if block then kept:insert(block) end
  end
  return kept
end

-- A heading and the few lines between it and its figure or table go to the next page with it.
local few_lines = 100

local function shown(block)
  return block.t == "Figure" or (block.t == "Div" and prefix_of(block.identifier) == "tbl")
end

local function stay_with_what_follows(blocks)
  local sticks = {}
  for i, block in ipairs(blocks) do
    local place, length = i - 1, 0
    while shown(block) and place > 0 and blocks[place].t == "Para" do
      length = length + (utf8.len(pandoc.utils.stringify(blocks[place])) or 0)
      place = place - 1
    end
    if place > 0 and place < i - 1 and blocks[place].t == "Header" and length <= few_lines then
      for k = place + 1, i - 1 do sticks[k] = true end
    end
  end
  local kept = pandoc.List()
  for i, block in ipairs(blocks) do
    if sticks[i] then kept:extend({ typst("#ek-stick["), block, typst("]") }) else kept:insert(block) end
  end
  return kept
end

local function figure(fig)
  local image
  fig.content:walk({ Image = function(found) image = found end })
  if not image or not prefix_of(fig.identifier) then return nil end
  local alt = image.attributes["fig-alt"] or ""
  local caption = pandoc.utils.blocks_to_inlines(fig.caption.long)
  if is_typst then
    local open = "#figure(image(" .. literal(image.src) .. ", alt: " .. literal(alt) .. "), caption: ["
    local blocks = pandoc.List({ typst(open), pandoc.Plain(caption) })
    blocks:extend(notes[fig.identifier] or {})
    blocks:insert(typst("], kind: image) <" .. fig.identifier .. ">"))
    return blocks
  end
  local phone = image.attributes.phone -- the same numbers with the panels below one another
  -- Tags of their own, and not a figure or a div: Quarto would number what has such an id once more.
  return {
    html('<figure id="' .. fig.identifier .. '" class="figure">'),
    html('<div class="figure-wrap' .. (image.classes:includes("wide") and ' wide" role="region" tabindex="0" aria-labelledby="'
      .. fig.identifier .. '-caption' or "") .. '">'),
    html(phone and '<picture><source media="(max-width: 30rem)" srcset="' .. phone .. '">' or ""),
    pandoc.Plain({ pandoc.Image({ pandoc.Str(alt) }, image.src) }),
    html((phone and "</picture>" or "") .. "</div>"),
    html('<figcaption id="' .. fig.identifier .. '-caption">'), pandoc.Plain(caption_in_html(fig.identifier, caption)), html("</figcaption></figure>"),
  }
end

-- The heading of a group of rows stays with its rows, and stands again where they go on on the next page.
local function with_subheadings(grid)
  local text = pandoc.write(literal_words(pandoc.Pandoc({ grid })), "typst", pandoc.WriterOptions({ wrap_text = "none" }))
  return (text:gsub("(\n%s*)(table%.cell%(align: %a+, colspan: %d+%)%b[]),", function(lead, cell)
    return cell:find("[#strong[", 1, true) and lead .. "table.header(level: 2, " .. cell .. ")," or nil
  end))
end

-- Small pictures in a table are SVG among its words. Pandoc would lose their alternative text: they are kept aside.
local function aside(raw)
  local kept = pandoc.List()
  return raw:gsub("<svg.-</svg>", function(svg)
    kept:insert(svg)
    return '<code class="ek-picture">' .. #kept .. "</code>"
  end), kept
end

local entities = { ["&lt;"] = "<", ["&gt;"] = ">", ["&quot;"] = '"', ["&#x27;"] = "'", ["&amp;"] = "&" }
local sizes = { big = "size: 13.5pt", verdict = "size: 11pt, weight: \"bold\"", legend = "size: 8.25pt", small = "size: 7.75pt" }

local function with_pictures(grid, kept)
  return grid:walk({
    Code = function(code)
      if not code.classes:includes("ek-picture") then return nil end
      local svg = kept[tonumber(code.text)]
      if not is_typst then return pandoc.RawInline("html", svg) end
      local alt = svg:match('aria%-label="([^"]*)"'):gsub("&[#%w]+;", entities)
      local width = svg:match(' width="(%d+)"')
      return pandoc.RawInline("typst", "#box(image(bytes(" .. literal(svg) .. '), format: "svg", width: ' .. width .. "pt, alt: " .. literal(alt) .. "))")
    end,
    Span = function(span)
      for class, style in pairs(sizes) do
        if is_typst and span.classes:includes(class) then
          local found = pandoc.Inlines({ pandoc.RawInline("typst", "#text(" .. style .. ")[") })
          found:extend(span.content)
          found:insert(pandoc.RawInline("typst", "]"))
          return found
        end
      end
    end,
  })
end

-- Tables: a div #tbl-x with the table as HTML ---------------------------------------------------------------------

local function table_div(div)
  if prefix_of(div.identifier) ~= "tbl" then return nil end
  local raw, caption = nil, pandoc.Inlines({})
  for _, block in ipairs(div.content) do
    if block.t == "RawBlock" and block.format == "html" then raw = block.text
    else caption:extend(pandoc.utils.blocks_to_inlines({ block })) end
  end
  if not raw then return nil end
  local text, pictures = aside(raw)
  local tables = pandoc.read(text, "html").blocks:filter(function(b) return b.t == "Table" end)
  if #tables ~= 1 then error("evalkit: " .. div.identifier .. " holds no table") end
  local grid = with_pictures(heads_in_bold(tables[1]), pictures)
  if is_typst then
    grid.caption = { long = { pandoc.Plain(caption) } }
    grid.identifier = div.identifier
    local written = typst(with_subheadings(with_widths(grid)))
    if lines_of(grid) > most_lines and not grid.classes:includes("indicators") then return written end
    local open = grid.classes:includes("indicators") and "#ek-indicators[" or "#block(breakable: false, width: 100%, below: 1.4em)["
    return { typst(open), written, typst("]") }
  end
  grid.caption = { long = { pandoc.Plain(caption_in_html(div.identifier, caption)) } }
  return { html('<div id="' .. div.identifier .. '">'), grid, html("</div>") }
end

-- A table without a label takes no number: the labelled ones have the same numbers in every format. A name it gets all the
-- same, by which the publisher fits it in: one row must not go on on the next page, there either.
local plain = 0

local function unnumbered(grid)
  plain = plain + 1
  local document = literal_words(pandoc.Pandoc({ with_widths(grid) }))
  local text = pandoc.write(document, "typst", pandoc.WriterOptions({ wrap_text = "none" }))
  text = text:gsub("^(.*\n%s*, kind: table)", "%1, numbering: none") -- the last one: a cell may say it, too
  return typst((text:gsub("%s*$", " <ek-plain-" .. plain .. ">")))
end

-- ::: {.content-visible when-format="html"}, .content-hidden, when-meta and unless-meta: text that stands, or does not,
-- in one format or study. "pdf" and "typst" are one thing here.
local facts = {}

local function visible(div)
  local hides = div.classes:includes("content-hidden")
  if not hides and not div.classes:includes("content-visible") then return nil end
  local said = div.attributes
  local function is(format) return (format == "html") ~= is_typst end
  local holds = (not said["when-format"] or is(said["when-format"])) and (not said["unless-format"] or not is(said["unless-format"]))
    and (not said["when-meta"] or facts[said["when-meta"]] == true)
    and (not said["unless-meta"] or facts[said["unless-meta"]] ~= true)
  if holds == hides then return {} end
  return div.content
end

-- ::: {.contents}: where the table of contents stands, after what is to be read first. On the page the template moves its
-- own there.
local function contents(div)
  if not div.classes:includes("contents") or not is_typst then return nil end
  if facts["ek-toc"] ~= true then return {} end
  facts["ek-toc"] = false
  return typst('#ek-contents("' .. facts["ek-word-contents"][1].text .. '")')
end

-- What is only for the page goes, before Quarto reads its tables for the PDF too.
local function not_here(raw) if raw.format:match("^html") then return {} end end

local passes = {
  { Div = visible, Span = visible },
  is_typst and { Blocks = function(blocks) return stay_with_what_follows(notes_of_figures(blocks)) end } or {},
  collect,
  { Figure = figure, Div = function(div) return table_div(div) or contents(div) or annex(div) or box(div) end, Cite = reference, Link = section_link },
  is_typst and { Table = unnumbered, RawBlock = not_here } or {},
}

-- One function for all passes: Quarto walks by rules of its own, and pandoc by one rule everywhere.
return { {
  Pandoc = function(document)
    facts = document.meta
    named(facts)
    if facts["ek-page"] then page_word = pandoc.utils.stringify(facts["ek-page"]) end
    for _, pass in ipairs(passes) do document = document:walk(pass) end
    if is_typst then document.blocks = literal_words(document.blocks) end
    document.meta = facts
    return document
  end,
} }
