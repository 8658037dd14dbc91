using System.Text.Json;

namespace MLExtensions.Tests.Text.Generation;

[TestClass]
public sealed class GenerationOptionsTests
{
    [TestMethod]
    public void WrongOptions_AreNamed()
    {
        new GenerationOptions().Check();
        new GenerationOptions { Temperature = 0, TopK = 1, TopP = 1, RepetitionWindow = 0, StopStrings = ["."] }.Check();
        Wrong(new() { MaximumTokens = 0 }, "MaximumTokens is 0; it must be at least 1");
        Wrong(new() { Temperature = -0.5 }, "Temperature is -0.5; it must be finite and at least 0");
        Wrong(new() { Temperature = double.NaN }, "Temperature is NaN");
        Wrong(new() { TopK = 0 }, "TopK is 0");
        Wrong(new() { TopP = 0 }, "TopP is 0");
        Wrong(new() { TopP = 1.5 }, "TopP is 1.5");
        Wrong(new() { TopP = double.NaN }, "TopP is NaN");
        Wrong(new() { RepetitionPenalty = 0.9 }, "RepetitionPenalty is 0.9");
        Wrong(new() { RepetitionPenalty = double.PositiveInfinity }, "RepetitionPenalty");
        Wrong(new() { RepetitionWindow = -1 }, "RepetitionWindow is -1");
        Wrong(new() { StopStrings = ["a", ""] }, "StopStrings[1]");
        Assert.ThrowsExactly<ArgumentNullException>(new GenerationOptions { StopStrings = null! }.Check);

        static void Wrong(GenerationOptions options, string expected) =>
            Assert.Contains(expected, Assert.ThrowsExactly<ArgumentOutOfRangeException>(options.Check).Message);
    }

    [TestMethod]
    public void Json_RoundTrips()
    {
        var options = new GenerationOptions { Temperature = 0.8, TopK = 40, TopP = 0.95, StopStrings = ["\n\n", "END"], Seed = 7, StopAtEndOfSequence = true };
        var read = JsonSerializer.Deserialize<GenerationOptions>(JsonSerializer.Serialize(options))!;
        Assert.AreEqual(options, read);
        Assert.AreEqual(options.GetHashCode(), read.GetHashCode());
        Assert.AreNotEqual(options, read with { StopStrings = ["END"] });
        Assert.AreEqual(new GenerationOptions(), JsonSerializer.Deserialize<GenerationOptions>("{}"));
    }
}
