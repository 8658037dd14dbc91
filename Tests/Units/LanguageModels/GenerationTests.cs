using Microsoft.ML;
using MLExtensions.Families.LanguageModels;
using TorchSharp;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>Generated text: what the options say, the same for the same seed, and nothing left behind.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class GenerationTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void LikeliestText_GoesOn()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Cycles(80));
        var options = new GenerationOptions { Temperature = 0, MaximumTokens = 8 };
        Assert.AreEqual("deabcdea", model.GenerateText("abc", options));
        Assert.AreEqual("abcdeabc", model.GenerateText("abcde", options));
        CollectionAssert.AreEqual(new[] { "d", "e", "a" }, model.Generate("abc", options).Take(3).ToArray());
    }

    [TestMethod]
    public void EndOfRow_StopsOrGoesOn()
    {
        using var model = LanguageSample.Fit(Ml, Enumerable.Repeat("abcdefgh", 100));
        var options = new GenerationOptions { Temperature = 0, MaximumTokens = 20, StopAtEndOfSequence = true };
        Assert.AreEqual("defgh", model.GenerateText("abc", options));
        Assert.AreEqual("defgh\nabcdefgh\nabcde", model.GenerateText("abc", options with { StopAtEndOfSequence = false }));
        Assert.AreEqual("de", model.GenerateText("abc", options with { StopStrings = ["fg"] }));
    }

    [TestMethod]
    public void Seed_TheSameTextEachTime()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        var options = new GenerationOptions { MaximumTokens = 100, Seed = 4 };
        var text = model.Generate("ab", options);
        var first = string.Concat(text);
        Assert.AreEqual(100, first.Length);
        Assert.AreEqual(first, string.Concat(text), "enumerated again");
        Assert.AreEqual(first, model.GenerateText("ab", options));
        Assert.AreNotEqual(first, model.GenerateText("ab", options with { Seed = 5 }));
        var unseeded = model.Generate("", options with { Seed = null });
        Assert.AreNotEqual(string.Concat(unseeded), string.Concat(unseeded));
    }

    [TestMethod]
    public void TwoEnumerationsAtOnce_DoNotDisturbEachOther()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        var text = model.Generate("ab", new GenerationOptions { MaximumTokens = 50, Seed = 4 });
        Assert.IsTrue(text.Zip(text).All(pair => pair.First == pair.Second));
    }

    [TestMethod]
    public void BadArguments_AreRefusedAtTheCall()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Cycles(10), o => o.Epochs = 1);
        Assert.Contains("Temperature", Assert.Throws<ArgumentOutOfRangeException>(() => model.Generate("a", new GenerationOptions { Temperature = -1 })).Message);
        Assert.Contains("'q'", Assert.Throws<FormatException>(() => model.Generate("abq")).Message);
        Assert.Throws<ArgumentNullException>(() => model.Generate(null!));
    }

    [TestMethod]
    public void RepetitionPenalty_LooksAtThePromptAndTheText()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Cycles(80));
        var options = new GenerationOptions { Temperature = 0, MaximumTokens = 3 };
        Assert.AreEqual("dea", model.GenerateText("abc", options));
        Assert.AreEqual("dea", model.GenerateText("dabc", options with { RepetitionPenalty = 1000, RepetitionWindow = 0 }));
        Assert.AreNotEqual('d', model.GenerateText("dabc", options with { RepetitionPenalty = 1000 })[0]);
        Assert.HasCount(3, model.GenerateText("abc", options with { RepetitionPenalty = 1000 }).Distinct().ToArray());
    }

    /// <summary>A step in managed code is the network's own, for each kind of network.</summary>
    [TestMethod]
    [DataRow(RecurrentCell.Lstm, 16, 16, false)]
    [DataRow(RecurrentCell.Lstm, 13, 7, true)]
    [DataRow(RecurrentCell.Gru, 13, 13, true)]
    [DataRow(RecurrentCell.Gru, 9, 21, false)]
    [DataRow(RecurrentCell.Rnn, 5, 3, false)]
    public void ManagedSteps_AreTheNetworks(RecurrentCell cell, int hiddenUnits, int embeddingSize, bool tied)
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => (o.Cell, o.HiddenUnits, o.EmbeddingSize, o.TieEmbeddings) = (cell, hiddenUnits, embeddingSize, tied));
        using var managed = new ManagedLanguageModel(model.Architecture, model.Network).CreateStepper();
        using var torch = new TorchStepper(model.Architecture, model.Network);
        var text = model.Tokenizer.Encode(LanguageSample.Noise(300)[^1] + "abcdeedcba").ToArray();
        var ofManaged = new float[model.Tokenizer.VocabularySize];
        var ofTorch = new float[model.Tokenizer.VocabularySize];
        for (var at = 0; at < text.Length;)
        {
            var count = Math.Min(at % 4 + 1, text.Length - at);
            managed.Read(text.AsSpan(at, count), ofManaged);
            torch.Read(text.AsSpan(at, count), ofTorch);
            Contract.Outcome.AssertClose(ofTorch, ofManaged, 1e-4);
            at += count;
        }
    }

    /// <summary>Longer than the windows in which it is read.</summary>
    [TestMethod]
    public void LongPrompts_SameLogitsInOneReadAsStepByStep()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        var prompt = model.Tokenizer.Encode(string.Concat(LanguageSample.Noise(60))).ToArray();
        Assert.IsGreaterThan(600, prompt.Length);
        using var atOnce = new TorchStepper(model.Architecture, model.Network);
        using var stepwise = new TorchStepper(model.Architecture, model.Network);
        var expected = new float[model.Tokenizer.VocabularySize];
        var logits = new float[model.Tokenizer.VocabularySize];
        atOnce.Read(prompt, logits);
        foreach (var token in prompt)
            stepwise.Read([token], expected);
        Contract.Outcome.AssertClose(expected, logits, 1e-4);
    }

    [TestMethod]
    public void ThousandTexts_LeaveNothing()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(10), o => o.Epochs = 1);
        var options = new GenerationOptions { MaximumTokens = 3, Seed = 1 };
        var prompt = model.Tokenizer.Encode("abc").ToArray();
        var logits = new float[model.Tokenizer.VocabularySize];
        Write();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        for (var i = 0; i < 1000; i++)
            Write();
        Assert.AreEqual(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);

        void Write()
        {
            foreach (var _ in model.Generate("abc", options))
                break; // before its end
            using var stepper = new TorchStepper(model.Architecture, model.Network);
            stepper.Read(prompt, logits);
            stepper.Read(prompt.AsSpan(0, 1), logits);
        }
    }

    [TestMethod]
    public void ManyThreads_SameTexts()
    {
        using var model = LanguageSample.Fit(Ml, LanguageSample.Noise(40), o => o.Epochs = 1);
        var texts = Enumerable.Range(0, 20).Select(seed => model.GenerateText("a", new GenerationOptions { Seed = seed })).ToArray();
        var again = new string[20];
        Parallel.For(0, 20, seed => again[seed] = model.GenerateText("a", new GenerationOptions { Seed = seed }));
        CollectionAssert.AreEqual(texts, again);
    }

    [TestMethod]
    public void Words_AreParted()
    {
        var rows = Enumerable.Repeat("the cat sat on the mat", 60);
        using var model = LanguageSample.Fit(Ml, rows, o => (o.Tokenization, o.Epochs) = (Tokenization.Words(), 20));
        var options = new GenerationOptions { Temperature = 0, StopAtEndOfSequence = true };
        Assert.AreEqual(" on the mat", model.GenerateText("the cat sat", options));
        Assert.AreEqual("sat on the mat", model.GenerateText("the cat\n the cat ", options).TrimStart());
        Assert.IsFalse(model.GenerateText("", options).StartsWith(' '));
    }
}
