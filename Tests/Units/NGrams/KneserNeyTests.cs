using System.IO.Compression;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.NGrams;

/// <summary>Language models that count.</summary>
[TestClass]
public sealed partial class KneserNeyTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(1, KneserNeyDiscounts.Modified)]
    [DataRow(2, KneserNeyDiscounts.Single)]
    [DataRow(3, KneserNeyDiscounts.Fixed)]
    [DataRow(3, KneserNeyDiscounts.Modified)]
    [DataRow(4, KneserNeyDiscounts.Modified)]
    public void Probabilities_AreThoseOfTheFormula(int order, KneserNeyDiscounts discounts)
    {
        var (train, test) = (Texts(1, 300), Texts(2, 40));
        var model = Fit(train, new KneserNeyEstimator.Options { Order = order, Discounts = discounts });
        var formula = new KneserNeyFormula(train.Select(text => Words(model, text)), order, model.Tokenizer.VocabularySize, discounts);
        foreach (var text in test)
            Assert.AreEqual(formula.LogProbability(Words(model, text)), model.LogProbability(text), 1e-9, text);
    }

    /// <summary>The tokens of a vocabulary share all of the probability, whatever was said before.</summary>
    [TestMethod]
    [DataRow("")]
    [DataRow("a b")]
    [DataRow("c never-seen a")]
    public void Probabilities_SumToOne(string history)
    {
        // Without their ends, texts that differ in the last word differ by its probability.
        var model = Fit(Texts(1, 200), new KneserNeyEstimator.Options { PredictLineEnds = false });
        var before = model.LogProbability(history);
        var words = Enumerable.Range(0, model.Tokenizer.VocabularySize).Where(id => id != model.Tokenizer.EndOfSequenceId).Select(model.Tokenizer.TokenOf);
        Assert.AreEqual(1, words.Sum(word => Math.Exp(model.LogProbability($"{history} {word}") - before)), 1e-9);
    }

    [TestMethod]
    public void LineEnds_AreCountedOrOnlyContext()
    {
        var data = View("ab\ncd", "ab\ncd", "ef\ncd");
        var characters = Tokenization.Characters();
        var all = Ml.LanguageModels.Trainers.KneserNey(new KneserNeyEstimator.Options { Tokenization = characters }).Fit(data);
        var some = Ml.LanguageModels.Trainers.KneserNey(new KneserNeyEstimator.Options { Tokenization = characters, PredictLineEnds = false }).Fit(data);
        Assert.AreEqual(18, Ml.LanguageModels.Evaluate(all.Transform(data)).Tokens);
        Assert.AreEqual(12, Ml.LanguageModels.Evaluate(some.Transform(data)).Tokens);
        // After a line comes c, though never directly after the letters before.
        Assert.IsGreaterThan(some.LogProbability("efcd") + 1, some.LogProbability("ef\ncd"));
        CollectionAssert.AreEqual(new[] { 6, 6, 7 }, some.NGramCounts.ToArray());
    }

    [TestMethod]
    public void SavedModel_GivesTheSame_AndSoDoesAnEngine()
    {
        using var folder = new TemporaryFolder();
        var (train, test) = (View(Texts(1, 100)), View(Texts(2, 20)));
        var model = Ml.LanguageModels.Trainers.KneserNey().Fit(train);
        Ml.Model.Save(model, train.Schema, folder.File("model.zip"));
        var loaded = new MLContext(2).Model.Load(folder.File("model.zip"), out _);
        var expected = Scores(model.Transform(test));
        CollectionAssert.AreEqual(expected, Scores(loaded.Transform(test)));
        using var engine = Ml.Model.CreatePredictionEngine<TextRow, TextScore>(loaded);
        CollectionAssert.AreEqual(expected, Texts(2, 20).Select(text => engine.Predict(new TextRow { Text = text }).LogProbability).ToArray());
    }

    [TestMethod]
    public void DamagedModel_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var train = View(Texts(1, 20));
        Ml.Model.Save(Ml.LanguageModels.Trainers.KneserNey().Fit(train), train.Schema, folder.File("model.zip"));
        using (var zip = ZipFile.Open(folder.File("model.zip"), ZipArchiveMode.Update))
        {
            var entry = zip.Entries.Single(each => each.FullName.EndsWith("ngrams.bin", StringComparison.Ordinal));
            using var stream = entry.Open();
            stream.Position = stream.Length / 2;
            stream.WriteByte(0xFF);
        }
        var error = Assert.Throws<TargetInvocationException>(() => Ml.Model.Load(folder.File("model.zip"), out _)).InnerException;
        Assert.Contains("ngrams.bin: is damaged", Assert.IsInstanceOfType<ModelFormatException>(error).Message);
    }

    [TestMethod]
    public void UnknownWords_AreToldOnce()
    {
        var ml = new MLContext(1);
        var said = new List<string>();
        ml.Log += (_, log) => said.AddRange(log.Message.Contains("not in the vocabulary") ? [log.Message] : []);
        var model = ml.LanguageModels.Trainers.KneserNey(new KneserNeyEstimator.Options { Tokenization = Tokenization.Words(minimumCount: 2) }).Fit(View("a b a", "a c"));
        Assert.Contains("2 of 5 tokens of the training data", said.Single());
        for (var pass = 0; pass < 2; pass++)
            Scores(model.Transform(View("a x", "y")));
        Assert.Contains("2 of 3 tokens of the texts in column 'Text'", said[1]);
        Assert.HasCount(2, said);
    }

    [TestMethod]
    public void BadInput_IsRefused()
    {
        Assert.Contains("Order is 0; it must be at least 1 and at most 10", Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Trainers.KneserNey(order: 0)).Message);
        Assert.Contains("'Other' is not in the data", Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Trainers.KneserNey("Other").Fit(View("a"))).Message);
        Assert.Contains("has no tokens", Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Trainers.KneserNey().Fit(View("", " "))).Message);
        Assert.Contains("has no tokens", Assert.Throws<ArgumentException>(() => Ml.LanguageModels.Trainers.KneserNey(new KneserNeyEstimator.Options { PredictLineEnds = false }).Fit(View("\n\n"))).Message);
    }

    /// <summary>
    /// Another program's perplexities: a discount of 0.75; lines end where poems have line feeds, which are context but are not predicted.
    /// </summary>
    [TestMethod]
    [DataRow(1, KneserNeyDiscounts.Fixed, 1036.6)]
    [DataRow(2, KneserNeyDiscounts.Fixed, 394.5)]
    [DataRow(3, KneserNeyDiscounts.Fixed, 338.5)]
    [DataRow(3, KneserNeyDiscounts.Modified, 326.2)]
    public void Poems_HaveTheirKnownPerplexity(int order, KneserNeyDiscounts discounts, double perplexity)
    {
        var poems = Lines("poems/tang_quatrains.tsv.gz").Skip(1).Select(line => line.Split('\t')[3].Replace('|', '\n')).ToArray();
        var model = Fit(poems.Where((_, i) => i % 20 > 1), new KneserNeyEstimator.Options
        {
            Tokenization = Tokenization.Characters(minimumCount: 2),
            Order = order,
            Discounts = discounts,
            PredictLineEnds = false,
        });
        Assert.AreEqual(4242, model.Tokenizer.VocabularySize, "4,240 characters, unknown, and the end of a line");
        var metrics = Ml.LanguageModels.Evaluate(model.Transform(View(poems.Where((_, i) => i % 20 == 1))));
        Assert.AreEqual(18312, metrics.Tokens);
        Assert.AreEqual(perplexity, metrics.Perplexity, 0.05 + (discounts == KneserNeyDiscounts.Modified ? 0.05 : 0));
    }

    /// <summary>
    /// Another program's perplexities of the responses of one conversation in 20. Those of 1 and 2 tokens are of the lower distributions of the
    /// model of three, which count contexts; a model of two tokens has 69.6.
    /// </summary>
    [TestMethod]
    public void SelfDialogue_HasItsKnownPerplexity()
    {
        var conversations = Lines("selfdialogue/dialogues.tsv.gz").Select(line => line.Split('\t')[1..].Select(turn => string.Join(' ', WordOrMark.Matches(turn.ToLowerInvariant()).Select(match => match.Value))).ToArray()).ToArray();
        var model = Fit(conversations.Where((_, i) => i % 20 > 1).SelectMany(turns => turns), new KneserNeyEstimator.Options
        {
            Tokenization = Tokenization.Words(10_002),
            Discounts = KneserNeyDiscounts.Fixed,
        });
        var (sums, tokens) = (new double[3], 0);
        foreach (var response in conversations.Where((_, i) => i % 20 == 1).SelectMany(turns => turns.Skip(1)))
        {
            for (var levels = 1; levels <= 3; levels++)
            {
                var score = model.Score(model.Encode(response, 0), levels);
                sums[levels - 1] += score.LogProbability;
                tokens += levels == 1 ? score.Tokens : 0;
            }
        }
        Assert.AreEqual(221_059, tokens);
        Assert.AreEqual(574.33, Math.Exp(-sums[0] / tokens), 0.3);
        Assert.AreEqual(116.06, Math.Exp(-sums[1] / tokens), 0.05);
        Assert.AreEqual(51.35, Math.Exp(-sums[2] / tokens), 0.02);
    }

    [GeneratedRegex(@"[a-z0-9]+(?:'[a-z]+)?|[^\sa-z0-9]", RegexOptions.CultureInvariant)]
    private static partial Regex WordOrMark { get; }

    private static IEnumerable<string> Lines(string file)
    {
        using var stream = new GZipStream(File.OpenRead(DataFolder.PathOf(file)), CompressionMode.Decompress);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
            yield return line;
    }

    private static KneserNeyTransformer Fit(IEnumerable<string> texts, KneserNeyEstimator.Options options) => Ml.LanguageModels.Trainers.KneserNey(options).Fit(View(texts));

    private static IDataView View(params IEnumerable<string> texts) => Ml.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }));

    /// <summary>Texts of seven words, of which each follows some of the others more often.</summary>
    private static string[] Texts(int seed, int count)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, count).Select(_ =>
        {
            var word = random.Next(7);
            return string.Join(' ', Enumerable.Range(0, random.Next(1, 12)).Select(_ => (char)('a' + (word = (word + random.Next(1, 4) * random.Next(1, 3)) % 7))));
        }).ToArray();
    }

    private static int[] Words(KneserNeyTransformer model, string text) => [.. model.Tokenizer.Encode(text), model.Tokenizer.EndOfSequenceId];

    private static float[] Scores(IDataView scored) => scored.GetColumn<float>("LogProbability").ToArray();

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }

    private sealed class TextScore
    {
        public float LogProbability { get; set; }
    }
}
