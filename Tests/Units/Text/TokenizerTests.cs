using System.Text.Json;

namespace MLExtensions.Tests.Text;

[TestClass]
public sealed class TokenizerTests
{
    private static readonly CharacterTokenizer Characters = new() { Vocabulary = ["e", "\n", "t", "😀", "𠀀", " "] };
    private static readonly WordTokenizer Words = new() { Vocabulary = ["the", "<eos>", "<unk>", "cat", "Cat", "don't", ",", "."] };

    [TestMethod]
    public void Characters_AreScalarValues()
    {
        Ids(Characters, "te😀𠀀\n", 2, 0, 3, 4, 1);
        Assert.AreEqual("te😀𠀀\n", Characters.Decode([2, 0, 3, 4, 1]));
        Assert.AreEqual(6, Characters.VocabularySize);
        Assert.AreEqual(1, Characters.EndOfSequenceId);
        Assert.AreEqual("😀", Characters.TokenOf(3));
    }

    [TestMethod]
    public void UnknownCharacter_IsShown_OrReplaced()
    {
        Assert.IsNull(Characters.UnknownId);
        var message = Assert.ThrowsExactly<FormatException>(() => Characters.Encode("teé")).Message;
        Assert.Contains("'é' (U+00E9)", message);
        Assert.Contains("allowUnknown", message);
        Assert.Contains("U+1F680", Assert.ThrowsExactly<FormatException>(() => Characters.Encode("🚀")).Message);
        var open = Characters with { Vocabulary = ["\uFFFD", .. Characters.Vocabulary] };
        Assert.AreEqual(0, open.UnknownId);
        Ids(open, "té🚀\ud800e", 3, 0, 0, 0, 1);
        Assert.AreEqual("t\uFFFDe", open.Decode([3, 0, 1]));
    }

    [TestMethod]
    public void Words_AreBetweenWhiteSpace()
    {
        Ids(Words, "  the\tCat <unk>  dog the, \r\n the", 0, 4, 2, 2, 2, 1, 0);
        Ids(Words, "");
        Ids(Words, " \t ");
        Assert.AreEqual(2, Words.UnknownId);
        Assert.AreEqual("the cat <unk>\nthe", Words.Decode([0, 3, 2, 1, 0]));
    }

    [TestMethod]
    public void Words_LowercaseAndPunctuation()
    {
        var split = Words with { SplitPunctuation = true };
        Ids(split, "the cat, don't.<unk> 'the' 😀<eos>", 0, 3, 6, 5, 7, 2, 2, 0, 2, 2, 1);
        Ids(split with { Lowercase = true }, "THE Cat,\nDON'T", 0, 3, 6, 1, 5);
        Ids(Words with { Lowercase = true }, "THE Cat,", 0, 2);
    }

    [TestMethod]
    public void Words_DecoderPutsSpacesBetweenWordsOnly()
    {
        var decoder = Words.CreateDecoder();
        CollectionAssert.AreEqual(
            new[] { "the", " cat", "\n", "\n", "the", " ." },
            new[] { 0, 3, 1, 1, 0, 7 }.Select(decoder.Append).ToArray());
    }

    [TestMethod]
    public void Subwords_MergeAsTheFileSays()
    {
        var tokenizer = BytePairFiles.Tokenizer;
        CollectionAssert.AreEqual(new[] { "the", "\u0120c", "at", "\u0120the", "at", "e", "r" }, Tokens(tokenizer, "the cat theater"));
        Assert.AreEqual(262, tokenizer.VocabularySize);
        Assert.AreEqual(261, tokenizer.EndOfSequenceId);
        Assert.IsNull(tokenizer.UnknownId);
        CollectionAssert.AreEqual(new[] { "the", "<|endoftext|>", "at" }, Tokens(tokenizer, "the<|endoftext|>at"));
    }

    [TestMethod]
    public void Subwords_DecodeAsTheyWere()
    {
        var tokenizer = BytePairFiles.Tokenizer;
        const string Text = "  the cät\n\n 東京 😀\t𠀀 don't\u00a0\u0000 ";
        Assert.AreEqual(Text, tokenizer.Decode(tokenizer.Encode(Text)));
        Assert.AreEqual("the\nat", tokenizer.Decode([.. tokenizer.Encode("the"), tokenizer.EndOfSequenceId, .. tokenizer.Encode("at")]));
        Assert.AreEqual("\uFFFD", tokenizer.Decode(tokenizer.Encode("\ud83d")));
    }

    [TestMethod]
    public void Subwords_DecoderHoldsBackHalfCharacters()
    {
        var tokenizer = BytePairFiles.Tokenizer;
        var decoder = tokenizer.CreateDecoder();
        var ids = tokenizer.Encode("a😀");
        CollectionAssert.AreEqual(new[] { "a", "", "", "", "😀" }, ids.Select(decoder.Append).ToArray());
        Assert.AreEqual("", decoder.Append(ids[1]));
        Assert.AreEqual("\uFFFD", decoder.Finish());
        Assert.AreEqual("", decoder.Append(ids[1]));
        Assert.AreEqual("\uFFFD\n", decoder.Append(tokenizer.EndOfSequenceId));
    }

    [TestMethod]
    public void Json_RoundTrips()
    {
        foreach (TextTokenizer tokenizer in new TextTokenizer[] { Characters, Words with { Lowercase = true }, BytePairFiles.Tokenizer })
        {
            var json = JsonSerializer.Serialize(tokenizer);
            var read = JsonSerializer.Deserialize<TextTokenizer>(json)!;
            read.Check();
            Assert.AreEqual(tokenizer, read);
            Assert.AreEqual(tokenizer.GetHashCode(), read.GetHashCode());
            Assert.AreEqual(json, JsonSerializer.Serialize(read));
            Assert.AreEqual(tokenizer.VocabularySize, read.VocabularySize);
            Assert.DoesNotContain("endOfRowId", json, StringComparison.OrdinalIgnoreCase);
        }
    }

    [TestMethod]
    public void Equality_IsOfTheContent()
    {
        var same = new CharacterTokenizer { Vocabulary = Characters.Vocabulary.ToList() };
        same.Encode("te");
        Assert.AreEqual(Characters, same);
        Assert.AreNotEqual(Characters, same with { Vocabulary = ["\n", "e"] });
        Ids(same with { Vocabulary = ["\n", "e"] }, "e", 1);
        Assert.AreNotEqual(Words, Words with { Lowercase = true });
        Assert.AreEqual("WordTokenizer of 8 tokens", Words.ToString());
    }

    [TestMethod]
    public void Damage_IsNamed()
    {
        Damaged(Characters with { Vocabulary = null! }, "vocabulary is missing");
        Damaged(Characters with { Vocabulary = ["\n", "ab"] }, "vocabulary[1] is 'ab'");
        Damaged(Characters with { Vocabulary = ["\n", "\ud83d"] }, "vocabulary[1]");
        Damaged(Characters with { Vocabulary = ["\n", "a", "a"] }, "vocabulary[2] is 'a', the same as vocabulary[1]");
        Damaged(Characters with { Vocabulary = ["\n", null!] }, "vocabulary[1] is null");
        Damaged(Characters with { Vocabulary = ["a"] }, "'\\n'");
        Damaged(Words with { Vocabulary = ["<eos>", ""] }, "vocabulary[1] is empty");
        Damaged(Words with { Vocabulary = ["<eos>", "a"] }, "<unk>");
        Damaged(Words with { Vocabulary = ["<unk>", "a"] }, "<eos>");
        var subwords = BytePairFiles.Tokenizer;
        Damaged(subwords with { Merges = null! }, "merges is missing");
        Damaged(subwords with { Merges = "t h\nh t\n" }, "line 2, has 'ht'");
        Damaged(subwords with { Merges = "th\n" }, "line 1");
        Damaged(subwords with { VocabularyJson = "[" }, "vocabularyJson");
        Damaged(subwords with { VocabularyJson = "null" }, "vocabularyJson");
        Damaged(subwords with { VocabularyJson = "{\"a\": 0, \"b\": 2}" }, "number 2");
        Damaged(subwords with { VocabularyJson = "{\"a\": 0, \"b\": 0}" }, "same number");
        Damaged(subwords with { VocabularyJson = BytePairFiles.Json(["</s>", .. BytePairFiles.Symbols().Skip(1)]), Merges = "" }, "'!'");
        Damaged(subwords with { VocabularyJson = BytePairFiles.Json(["a", "b"]), Merges = "" }, "can end a row");

        static void Damaged(TextTokenizer tokenizer, string expected) =>
            Assert.Contains(expected, Assert.ThrowsExactly<FormatException>(tokenizer.Check).Message);
    }

    [TestMethod]
    public void NoToken_IsRefused()
    {
        foreach (TextTokenizer tokenizer in new TextTokenizer[] { Characters, Words, BytePairFiles.Tokenizer })
        {
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tokenizer.TokenOf(tokenizer.VocabularySize));
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tokenizer.Decode([-1]));
        }
    }

    [TestMethod]
    public void ManyThreads_GetTheSame()
    {
        foreach (TextTokenizer tokenizer in new TextTokenizer[] { Characters with { }, Words with { }, BytePairFiles.Tokenizer })
        {
            var texts = Enumerable.Range(0, 200).Select(i => string.Concat(Enumerable.Repeat(i % 3 == 0 ? "te " : "t e ", 1 + (i % 7)))).ToArray();
            var ids = texts.AsParallel().AsOrdered().WithDegreeOfParallelism(2).Select(tokenizer.Encode).ToArray();
            for (var i = 0; i < texts.Length; i++)
                CollectionAssert.AreEqual(tokenizer.Encode(texts[i]).ToArray(), ids[i].ToArray());
        }
    }

    private static void Ids(TextTokenizer tokenizer, string text, params int[] expected) =>
        CollectionAssert.AreEqual(expected, tokenizer.Encode(text).ToArray(), string.Join(' ', tokenizer.Encode(text)));

    private static string[] Tokens(TextTokenizer tokenizer, string text) => [.. tokenizer.Encode(text).Select(tokenizer.TokenOf)];
}
