using Microsoft.ML;

namespace MLExtensions.Tests.Text;

[TestClass]
public sealed class TokenizationTests
{
    [TestMethod]
    public void Characters_ByFallingFrequency_WithTheRowEnds()
    {
        var tokenizer = Build(Tokenization.Characters(allowUnknown: false), "abca", "ab😀", "ba");
        // a 4, b 3, \n 3, c 1, 😀 1: ties are ordinal
        CollectionAssert.AreEqual(new[] { "a", "\n", "b", "c", "😀" }, Vocabulary(tokenizer));
        Assert.IsNull(tokenizer.UnknownId);
        var tolerant = Build(Tokenization.Characters(), "abca", "ab😀", "ba");
        CollectionAssert.AreEqual(new[] { "a", "\n", "b", "c", "😀", "\uFFFD" }, Vocabulary(tolerant));
        CollectionAssert.AreEqual(new[] { 0, 5 }, tolerant.Encode("az").ToArray());
    }

    [TestMethod]
    public void Characters_CutOffOnesAreUnknown()
    {
        var rare = Build(Tokenization.Characters(minimumCount: 2), "aabbcd", "e");
        CollectionAssert.AreEqual(new[] { "\uFFFD", "\n", "a", "b" }, Vocabulary(rare)); // 3, 2, 2, 2
        CollectionAssert.AreEqual(new[] { 2, 0, 0 }, rare.Encode("acz").ToArray());
        var few = Build(Tokenization.Characters(maximumVocabulary: 4), "aaabbc", "");
        CollectionAssert.AreEqual(new[] { "a", "\n", "b", "\uFFFD" }, Vocabulary(few));
        CollectionAssert.AreEqual(new[] { "a", "\n", "\uFFFD" }, Vocabulary(Build(Tokenization.Characters(100), "aaa", "")));
    }

    [TestMethod]
    public void Words_ByFallingFrequency_SpecialOnesByTheirCounts()
    {
        var tokenizer = Build(Tokenization.Words(), "the cat <unk> the", "the <unk> cat dog");
        CollectionAssert.AreEqual(new[] { "the", "<eos>", "<unk>", "cat", "dog" }, Vocabulary(tokenizer)); // 3, 2, 2, 2, 1
        var few = Build(Tokenization.Words(maximumVocabulary: 3), "the cat <unk> the", "the cat dog the");
        CollectionAssert.AreEqual(new[] { "<unk>", "the", "<eos>" }, Vocabulary(few)); // 4, 4, 2
        var often = Build(Tokenization.Words(minimumCount: 2), "b a c", "a b");
        CollectionAssert.AreEqual(new[] { "<eos>", "a", "b", "<unk>" }, Vocabulary(often));
    }

    /// <summary>Nothing can be learned of texts that are nothing but unknown tokens, unless their words are copied.</summary>
    [TestMethod]
    public void EmptyVocabulary_IsRefused()
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable(new[] { new { Text = "a b", Target = "b" }, new { Text = "c", Target = "d" } });
        var rare = Tokenization.Words(minimumCount: 3);
        Refused("Text", () => ml.LanguageModels.Trainers.KneserNey(new KneserNeyEstimator.Options { Tokenization = rare }).Fit(data));
        Refused("Text", () => ml.LanguageModels.Trainers.Lstm(new LanguageModelEstimator.Options { Tokenization = rare, HiddenUnits = 2, Epochs = 1, IndependentRows = true }).Fit(data));
        Refused("Target", () => ml.SequenceToSequence.Trainers.Lstm(Pairs(copies: false)).Fit(data));
        ml.SequenceToSequence.Trainers.Lstm(Pairs(copies: true)).Fit(data).Dispose();

        SequenceToSequenceEstimator.Options Pairs(bool copies) => new() { SourceColumnName = "Text", Tokenization = rare, HiddenUnits = 2, Epochs = 1, CopyWords = copies };

        static void Refused(string column, Action fit) =>
            Assert.Contains($"The vocabulary of column '{column}' is empty, because none of its tokens occurs as often as minimumCount", Assert.Throws<ArgumentException>(fit).Message);
    }

    [TestMethod]
    public void Words_SettingsReachTheTokenizer()
    {
        var tokenizer = (WordTokenizer)Build(Tokenization.Words(lowercase: true, splitPunctuation: true), "The cat, the cat.");
        CollectionAssert.AreEqual(new[] { "cat", "the", ",", ".", "<eos>", "<unk>" }, Vocabulary(tokenizer));
        Assert.IsTrue(tokenizer.Lowercase);
        Assert.IsTrue(tokenizer.SplitPunctuation);
    }

    [TestMethod]
    public void Words_TheRarestAreForgotten_WhereThereAreTooMany()
    {
        var builder = new WordTokenization.Builder(new WordTokenization(5, 1, false, false), countLimit: 10);
        for (var i = 0; i < 100; i++)
            builder.Add($"often often sometimes{i % 2} once{i}");
        var tokenizer = builder.Build();
        CollectionAssert.AreEquivalent(new[] { "often", "<eos>", "<unk>", "sometimes0", "sometimes1" }, Vocabulary(tokenizer));
        CollectionAssert.AreEqual(new[] { "often", "<eos>" }, Vocabulary(tokenizer)[..2]);
    }

    [TestMethod]
    public void Subwords_FromFiles()
    {
        using var folder = new TemporaryFolder();
        var vocabulary = folder.File("vocab.json");
        var merges = folder.File("merges.txt");
        File.WriteAllText(vocabulary, BytePairFiles.VocabularyJson);
        File.WriteAllText(merges, BytePairFiles.Merges);
        var tokenization = Tokenization.Subwords(vocabulary, merges);
        tokenization.Check("Tokenization");
        Assert.IsFalse(tokenization.CreateBuilder().NeedsText);
        Assert.AreEqual(BytePairFiles.Tokenizer, Build(tokenization));
        File.WriteAllText(merges, "x y z");
        Assert.Contains(merges, Assert.ThrowsExactly<FormatException>(() => Build(tokenization)).Message);
        File.Delete(merges);
        Assert.Contains("Tokens.mergesFile", Assert.ThrowsExactly<FileNotFoundException>(() => tokenization.Check("Tokens")).Message);
        Assert.Contains("Tokens.vocabularyFile", Assert.ThrowsExactly<ArgumentException>(() => Tokenization.Subwords("", merges).Check("Tokens")).Message);
    }

    [TestMethod]
    public void GivenTokenizer_IsTaken()
    {
        var tokenizer = new CharacterTokenizer { Vocabulary = ["\n", "a"] };
        Tokenization.Of(tokenizer).Check("Tokenization");
        Assert.AreSame(tokenizer, Build(Tokenization.Of(tokenizer), "bcd"));
        Assert.ThrowsExactly<ArgumentNullException>(() => Tokenization.Of(null!).Check("Tokenization"));
        var damaged = Tokenization.Of(tokenizer with { Vocabulary = ["a"] });
        Assert.Contains("Tokenization", Assert.ThrowsExactly<ArgumentException>(() => damaged.Check("Tokenization")).Message);
    }

    [TestMethod]
    public void WrongSettings_AreNamed()
    {
        Wrong(Tokenization.Characters(maximumVocabulary: 2), "Tokens.maximumVocabulary is 2");
        Wrong(Tokenization.Characters(minimumCount: 0), "Tokens.minimumCount is 0");
        Wrong(Tokenization.Words(maximumVocabulary: -1), "Tokens.maximumVocabulary is -1");
        Wrong(Tokenization.Words(minimumCount: -3), "Tokens.minimumCount is -3");

        static void Wrong(Tokenization tokenization, string expected) =>
            Assert.Contains(expected, Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tokenization.Check("Tokens")).Message);
    }

    private static TextTokenizer Build(Tokenization tokenization, params string[] rows)
    {
        tokenization.Check("Tokenization");
        var builder = tokenization.CreateBuilder();
        foreach (var row in rows)
            builder.Add(row);
        var tokenizer = builder.Build();
        tokenizer.Check();
        return tokenizer;
    }

    private static string[] Vocabulary(TextTokenizer tokenizer) =>
        [.. Enumerable.Range(0, tokenizer.VocabularySize).Select(tokenizer.TokenOf)];
}
