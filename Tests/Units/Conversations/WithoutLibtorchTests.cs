using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using static MLExtensions.Tests.Conversations.ConversationSample;

namespace MLExtensions.Tests.Conversations;

/// <summary>What stands around networks works in a program that has no libtorch, and in another process than the one that saved it.</summary>
[TestClass]
public sealed class WithoutLibtorchTests
{
    private const string Scored = "LogProbability";

    [TestMethod]
    public void NothingLoadsLibtorch()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        var data = View(ml, Mixed());
        var history = ml.Transforms.Text.ConversationHistory(turnColumnName: "Turn", numberOfTurns: 2).Fit(data);
        var model = history.Append(ml.LanguageModels.Trainers.KneserNey("Source", order: 2).Fit(history.Transform(data)));
        ml.Model.Save(model, data.Schema, folder.File("model.zip"));
        var expected = string.Join(' ', model.Transform(data).GetColumn<float>(Scored).Select(BitConverter.SingleToInt32Bits));
        ChildProcess.Run(Use, folder.File("model.zip"), expected).AssertSuccess();
    }

    private static void Use(string[] args)
    {
        var ml = new MLContext(1);
        var data = View(ml, Mixed());
        var scored = ml.Model.Load(args[0], out _).Transform(data);
        Assert.AreEqual(args[1], string.Join(' ', scored.GetColumn<float>(Scored).Select(BitConverter.SingleToInt32Bits)));
        var trained = ml.LanguageModels.Trainers.KneserNey("Text").Fit(data);
        Assert.AreEqual(1, ml.SequenceToSequence.Evaluate(scored, "Text", "Text", "Conversation", reference: trained).ExactMatch);
        Assert.AreEqual(6, ml.SequenceToSequence.AnalyzeDialogues(data, data, "Text", "Reply").Responses);
        foreach (ProcessModule module in Process.GetCurrentProcess().Modules)
            Assert.DoesNotContain("torch_cpu", module.ModuleName);
    }
}
