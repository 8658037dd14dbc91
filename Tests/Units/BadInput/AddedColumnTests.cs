namespace MLExtensions.Tests.BadInput;

/// <summary>
/// A column that is added beside the main one must not hide a column that is read, nor one that is added with it. The main one may take the place
/// of what is read. Style transfer, autoencoders and Boltzmann machines have such tests of their own.
/// </summary>
[TestClass]
public sealed class AddedColumnTests
{
    [TestMethod]
    public void DeepQLearning_RefusesNamesThatHide()
    {
        Refused("ActionValuesColumnName and StateColumnName are both 'Same'", () => new DqnEstimator.Options { ActionValuesColumnName = "Same", StateColumnName = "Same" }.Check());
        Refused("ActionValuesColumnName and ActionMaskColumnName are both 'Same'", () => new DqnEstimator.Options { ActionValuesColumnName = "Same", ActionMaskColumnName = "Same" }.Check());
        Refused("ActionValuesColumnName is Same; it must be another name than OutputColumnName", () => new DqnEstimator.Options { ActionValuesColumnName = "Same", OutputColumnName = "Same" }.Check());
        new DqnEstimator.Options { OutputColumnName = "Same", StateColumnName = "Same" }.Check();
    }

    [TestMethod]
    public void TabularPolicies_RefuseNamesThatHide()
    {
        Refused("ActionValuesColumnName and StateColumnName are both 'Same'", () => new QLearningEstimator.Options { ActionValuesColumnName = "Same", StateColumnName = "Same" }.Check());
        Refused("ActionValuesColumnName is Same; it must be another name than OutputColumnName", () => new QLearningEstimator.Options { ActionValuesColumnName = "Same", OutputColumnName = "Same" }.Check());
        new QLearningEstimator.Options { OutputColumnName = "Same", StateColumnName = "Same" }.Check();
    }

    [TestMethod]
    public void Inpainting_RefusesNamesThatHide()
    {
        Action<InpaintingEstimator.Options, string>[] added = [(o, name) => o.LatentColumnName = name, (o, name) => o.LossColumnName = name, (o, name) => o.ClassColumnName = name];
        foreach (var add in added)
        {
            foreach (var (read, option) in new (string, Action<InpaintingEstimator.Options>)[] { ("ImageColumnName", o => o.ImageColumnName = "Same"), ("MaskColumnName", o => o.MaskColumnName = "Same"), ("LabelColumnName", o => o.LabelColumnName = "Same") })
                Refused($"ColumnName and {read} are both 'Same'", () => Changed(add, option).CheckNames());
            Refused("are 'Same'; added columns must have different names", () => Changed(add, o => o.OutputColumnName = "Same").CheckNames());
        }
        Changed((o, name) => o.OutputColumnName = name, o => o.ImageColumnName = "Same").CheckNames();

        static InpaintingEstimator.Options Changed(Action<InpaintingEstimator.Options, string> add, Action<InpaintingEstimator.Options> other)
        {
            var options = new InpaintingEstimator.Options();
            add(options, "Same");
            other(options);
            return options;
        }
    }

    [TestMethod]
    public void DiscriminatorFeatures_RefuseNamesThatHide()
    {
        Refused("ScoreColumnName and FeatureColumnName are both 'Same'", () => new DiscriminatorFeaturesEstimator.Options { ScoreColumnName = "Same", FeatureColumnName = "Same" }.Check());
        Refused("ScoreColumnName is 'Same'; it must be another name than OutputColumnName", () => new DiscriminatorFeaturesEstimator.Options { ScoreColumnName = "Same", OutputColumnName = "Same" }.Check());
        new DiscriminatorFeaturesEstimator.Options { OutputColumnName = "Same", FeatureColumnName = "Same" }.Check();
    }

    [TestMethod]
    public void HiddenMarkovModels_RefuseNamesThatHide()
    {
        Refused("StateProbabilitiesColumnName and ObservationColumnName are both 'Same'", o => o.StateProbabilitiesColumnName = o.ObservationColumnName = "Same");
        Refused("FilteredProbabilitiesColumnName and SequenceColumnName are both 'Same'", o => o.FilteredProbabilitiesColumnName = o.SequenceColumnName = "Same");
        Refused("LogLikelihoodColumnName and LabelColumnName are both 'Same'", o => o.LogLikelihoodColumnName = o.LabelColumnName = "Same");
        Refused("are all 'Same'; columns that are added need different names", o => o.PredictedStateColumnName = o.SequenceLogLikelihoodColumnName = "Same");
        new DiscreteHiddenMarkovEstimator.Options { NumbersOfStates = [2], PredictedStateColumnName = "Same", ObservationColumnName = "Same" }.Check();

        static void Refused(string message, Action<DiscreteHiddenMarkovEstimator.Options> change)
        {
            var options = new DiscreteHiddenMarkovEstimator.Options { NumbersOfStates = [2] };
            change(options);
            AddedColumnTests.Refused(message, options.Check);
        }
    }

    private static void Refused(string message, Action check) => Assert.Contains(message, Assert.Throws<ArgumentException>(check).Message);
}
