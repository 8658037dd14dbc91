using System.Text.Json;
using MLExtensions.Text;

namespace MLExtensions.Tests.Text;

/// <summary>Words end where Unicode says (UAX #29), in every script.</summary>
[TestClass]
public sealed class WordSegmentationTests
{
    /// <summary>The segments, divided by bars. The rules are those of UAX #29; most cases are of its own test file.</summary>
    [TestMethod]
    [DataRow("a|\r\n|b|\n|\n|c", "WB3: line ends")]
    [DataRow("a\u0308|\u0085|\u0308", "WB3a, WB4")]
    [DataRow("a\u0301b\u00ADc\u200Dd", "WB4: marks, soft hyphens and joiners")]
    [DataRow("a|  |b", "WB3d")]
    [DataRow("can't|,| |it\u2019s| |'|a|'", "WB6, WB7")]
    [DataRow("a|.|1", "WB6: only between letters")]
    [DataRow("e.g|.| |a:b|:| |l\u00B7l", "WB6, WB7: points and colons within words")]
    [DataRow("\u05E6\u05D4\"\u05DC| |\u05E6\u05D4\u05F4\u05DC| |\u05D2'| |\"|\u05D0|\"", "WB7a to WB7c: Hebrew with gershayim and geresh")]
    [DataRow("A3a3D", "WB8 to WB10")]
    [DataRow("3.14|,| |1,000.5| |3'5|.", "WB11, WB12: numbers")]
    [DataRow("1|.|a", "WB12: only between digits")]
    [DataRow("\u30AB\u30BF\u30AB\u30CA|\u4E2D|\u56FD|\u3072|\u3089", "WB13: Katakana, ideographs, Hiragana")]
    [DataRow("snake_case_1|-|x", "WB13a, WB13b")]
    [DataRow("\U0001F1E9\U0001F1EA|\U0001F1EB\U0001F1F7|\U0001F1E6", "WB15, WB16: flags")]
    [DataRow("\U0001F468\u200D\U0001F469\u200D\U0001F467|\U0001F44D\U0001F3FD|\u2764\uFE0F\u200D\U0001F525", "WB3c: families, skin colors")]
    [DataRow("\u0915\u093F\u0924\u093E\u092C| |\u0939\u093F\u0928\u094D\u0926\u0940|\u0964", "Devanagari keeps its vowel signs")]
    [DataRow("\u0643\u0650\u062A\u064E\u0627\u0628|\u060C| |\u0661\u0662\u066B\u0665", "Arabic with marks and digits")]
    [DataRow("\u0E01\u0E34|\u0E19|\u0E02\u0E49|\u0E32|\u0E27", "Thai: clusters")]
    [DataRow("\uD55C\uAD6D\uC5B4| |\u1112\u1161\u11AB", "Hangul, composed and not")]
    [DataRow("\u10D0\u10D1|\u0589|\u0561\u055A\u0562", "Georgian, Armenian")]
    public void Segments_AreUnicodes(string marked, string rule)
    {
        var text = marked.Replace("|", "");
        var segments = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var next = WordBoundary.Next(text, at);
            segments.Add(text[at..next]);
            at = next;
        }
        Assert.AreEqual(marked, string.Join('|', segments), rule);
    }

    [TestMethod]
    [DataRow("\u0915\u093F\u0924\u093E\u092C")]
    [DataRow("\u05E6\u05D4\u05F4\u05DC")]
    [DataRow("\u0643\u0650\u062A\u064E\u0627\u0628")]
    [DataRow("\u30AB\u30BF\u30AB\u30CA")]
    [DataRow("\U0001F468\u200D\U0001F469\u200D\U0001F467")]
    [DataRow("nai\u0308ve")]
    [DataRow("don't")]
    [DataRow("1,000.5")]
    [DataRow("<unk>")]
    public void Word_IsOneTokenAndDecodesToItself(string word)
    {
        var builder = Tokenization.Words(100, splitPunctuation: true).CreateBuilder();
        builder.Add(word);
        var tokenizer = builder.Build();
        var ids = tokenizer.Encode(word);
        Assert.HasCount(1, ids);
        Assert.AreEqual(word, tokenizer.Decode(ids));
    }

    /// <summary>Characters of scripts without spaces are tokens, and are written without spaces.</summary>
    [TestMethod]
    [DataRow("\u6211\u7231\u5317\u4EAC\u3002\u4F60\u5462\uFF1F", 8)]
    [DataRow("\u30AB\u30BF\u30AB\u30CA\u3068\u3072\u3089\u304C\u306A", 6)]
    [DataRow("\u0E01\u0E34\u0E19\u0E02\u0E49\u0E32\u0E27", 5)]
    [DataRow("\u6211\u7231 Tokyo \u548C \u092C\u093F\u0932\u094D\u0932\u0940", 5)]
    public void ScriptsWithoutSpaces_DecodeToThemselves(string text, int tokens)
    {
        var builder = Tokenization.Words(100, splitPunctuation: true).CreateBuilder();
        builder.Add(text);
        var tokenizer = builder.Build();
        Assert.HasCount(tokens, tokenizer.Encode(text));
        Assert.AreEqual(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    /// <summary>White space, byte order marks and joiners on their own are no tokens, and a broken character is one that can be saved.</summary>
    [TestMethod]
    public void Words_AreWhatHasAGlyph()
    {
        CollectionAssert.AreEqual(new[] { "a", "b", "\n", "c", ".", "\n", "d" }, Words("\uFEFFa \u200B b\u00A0\r\nc.\t\n \u200D d\u3000"));
        CollectionAssert.AreEqual(new[] { "a", "\uFFFD", "b" }, Words("a\uD800b"));
        CollectionAssert.AreEqual(new[] { "<", "a", ">", "<eos>", "<unk>", "x" }, Words("<a><eos><unk>x"));
    }

    /// <summary>Models before 0.3.0 name no rule and keep theirs; what is saved again is the same.</summary>
    [TestMethod]
    public void OldTokenizers_KeepTheirRule()
    {
        const string Old = """{"$type":"words","Vocabulary":["3","14",".","\u003Ceos\u003E","\u003Cunk\u003E","3.14"],"Lowercase":false,"SplitPunctuation":true}""";
        var old = JsonSerializer.Deserialize<TextTokenizer>(Old)!;
        CollectionAssert.AreEqual(new[] { 0, 2, 1 }, old.Encode("3.14").ToArray());
        Assert.AreEqual(Old, JsonSerializer.Serialize(old));
        var current = (WordTokenizer)old with { Segmentation = WordSegmentation.Unicode };
        CollectionAssert.AreEqual(new[] { 5 }, current.Encode("3.14").ToArray());
        var read = JsonSerializer.Deserialize<TextTokenizer>(JsonSerializer.Serialize<TextTokenizer>(current))!;
        Assert.AreEqual(current, read);
        Assert.AreNotEqual(old, read);
        Assert.AreEqual(WordSegmentation.Unicode, new WordTokenizer { Vocabulary = current.Vocabulary }.Segmentation);
        Assert.Contains("segmentation is 7", Assert.ThrowsExactly<FormatException>((current with { Segmentation = (WordSegmentation)7 }).Check).Message);
    }

    private static string[] Words(string text)
    {
        var found = new List<string>();
        using var words = new WordReader(text, lowercase: false, splitPunctuation: true, WordSegmentation.Unicode);
        while (words.MoveNext())
            found.Add(words.Current.ToString());
        return [.. found];
    }
}
